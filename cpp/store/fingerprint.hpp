// What a message says, whatever file it lay in: a digest of its bytes without what programs change when they put mail
// into files (line ends, blank lines at its end, fields of flags and lengths). Two copies of one message have the same,
// and a message of the same Message-ID with another text has another.
#pragma once

#include "mail/mbox.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace himalaya::store {

class Fingerprint : private mail::LineCutter {
  public:
    Fingerprint();
    ~Fingerprint() override;

    void add(std::string_view bytes) { cut(bytes); }
    std::string finish(); // 16 bytes

  private:
    struct Digest;

    void line_begins(std::string_view begin, bool whole) override;
    void line_goes_on(std::string_view bytes) override;
    void line_ends() override;
    void quotes_go_ahead(std::string_view quotes) override;
    void take(std::string_view bytes);

    std::unique_ptr<Digest> m_digest;
    std::size_t m_line_ends = 0; // not counted yet: they may be the message's last
    bool m_in_header = true;
    bool m_left_out = false; // this line
};

std::string fingerprint_of(std::string_view message);

} // namespace himalaya::store
