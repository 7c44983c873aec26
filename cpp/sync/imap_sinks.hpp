// What a FETCH brings, as the sync's sinks want it: each takes one kind of answer from the session and gives it on
// without the protocol in it.
#pragma once

#include "imap/fetch.hpp"
#include "sync/source.hpp"

#include <memory>
#include <span>

namespace himalaya::sync {

// An envelope as the store takes it. Headers stay encoded: decoding may load charsets from disk, so it is the writer's
// thread that does it (EnvelopePen).
store::Arrival arrival_of(const imap::Fetch& message);

store::FlagNews news_of(const imap::Fetch& message);

// Holding back a session's reading.
class SessionFlow : public Flow {
  public:
    explicit SessionFlow(std::shared_ptr<imap::Session> session) : m_session(std::move(session)) {}
    ~SessionFlow() override {
        if (m_paused)
            m_session->resume();
    }
    void pause() override {
        if (!std::exchange(m_paused, true))
            m_session->pause();
    }
    void resume() override {
        if (std::exchange(m_paused, false))
            m_session->resume();
    }

  private:
    std::shared_ptr<imap::Session> m_session;
    bool m_paused = false;
};

class EnvelopeFetch : public imap::FetchSink {
  public:
    EnvelopeFetch(EnvelopeSink& sink, std::shared_ptr<imap::Session> session)
        : m_sink(sink), m_flow(std::move(session)) {}
    void on_done(const UidSet& uids) override { m_sink.on_done(uids); }
    void on_message(imap::Session&, const imap::Fetch& message) override {
        // Without either it is news about flags that came in between; without an envelope it had one that cannot be
        // read.
        if (message.uid && (message.envelope || message.size))
            m_sink.on_envelope(m_flow, arrival_of(message));
    }

  private:
    EnvelopeSink& m_sink;
    SessionFlow m_flow;
};

// A text that is too large to be held comes in pieces, and its message after it.
class LargeTextFetch : public imap::FetchSink, imap::LiteralSink {
  public:
    LargeTextFetch(BodySink& sink, std::shared_ptr<imap::Session> session)
        : m_flow(std::move(session)), m_texts(sink) {}
    imap::LiteralSink* on_large(const imap::LiteralStart&) override { return this; }

  protected:
    void end_large(std::int64_t uid) { m_texts.on_large_end(m_flow, uid, std::exchange(m_whole, false)); }

    SessionFlow m_flow;

  private:
    void start(const imap::LiteralStart& start) override;
    void bytes(std::span<const char> bytes) override;
    void end(bool complete) override { m_whole = complete; }

    BodySink& m_texts;
    bool m_whole = false;
};

class BodyFetch : public LargeTextFetch {
  public:
    BodyFetch(BodySink& sink, std::shared_ptr<imap::Session> session)
        : LargeTextFetch(sink, std::move(session)), m_sink(sink) {}
    void on_message(imap::Session&, const imap::Fetch& message) override;

  private:
    BodySink& m_sink;
};

class LetterFetch : public LargeTextFetch {
  public:
    LetterFetch(LetterSink& sink, std::shared_ptr<imap::Session> session)
        : LargeTextFetch(sink, std::move(session)), m_sink(sink) {}
    void on_done(const UidSet& uids) override { m_sink.on_done(uids); }
    void on_message(imap::Session&, const imap::Fetch& message) override;

  private:
    LetterSink& m_sink;
};

class FlagFetch : public imap::FetchSink {
  public:
    explicit FlagFetch(Visit::OnFlags on_flags) : m_on_flags(std::move(on_flags)) {}
    void on_message(imap::Session&, const imap::Fetch& message) override {
        if (message.uid && message.has_flags)
            m_on_flags(news_of(message));
    }

  private:
    Visit::OnFlags m_on_flags;
};

} // namespace himalaya::sync
