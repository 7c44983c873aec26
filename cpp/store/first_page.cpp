#include "store/first_page.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>

namespace himalaya::store {

namespace {

// https://www.sqlite.org/fileformat.html
constexpr std::size_t HEADER = 100;
constexpr std::size_t PAGE_SIZE_AT = 16, CHANGES_AT = 24, PAGES_AT = 28, FREE_AT = 32, VALID_FOR_AT = 92;
constexpr std::size_t CELLS_AT = 3, RIGHTMOST_AT = 8, INTERIOR_HEADER = 12;
constexpr char INTERIOR = 0x05;
// A list of tables has a few pages; a file that says otherwise is none of ours.
constexpr std::size_t MOST_PAGES = 64;

std::uint32_t number(const std::string& bytes, std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
        value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
    return value;
}

void put(std::string& bytes, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i)
        bytes.at(at + i) = static_cast<char>(value >> (8 * (3 - i)));
}

} // namespace

std::optional<FirstPage> FirstPage::of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string header(HEADER, '\0');
    if (!file.read(header.data(), static_cast<std::streamsize>(header.size())))
        return std::nullopt;
    FirstPage found;
    found.m_page_size = number(header, PAGE_SIZE_AT, 2);
    if (found.m_page_size < 512)
        return std::nullopt;
    auto take = [&](std::uint32_t page) {
        std::string bytes(found.m_page_size, '\0');
        file.seekg(static_cast<std::streamoff>((page - 1) * found.m_page_size));
        if (page == 0 || !file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
            return false;
        found.m_pages.push_back(std::move(bytes));
        return found.m_pages.size() <= MOST_PAGES;
    };
    if (!take(1))
        return std::nullopt;
    for (std::size_t page = 0; page < found.m_pages.size(); ++page) {
        std::size_t start = page == 0 ? HEADER : 0;
        if (found.m_pages[page].at(start) != INTERIOR)
            continue;
        std::vector<std::size_t> places{start + RIGHTMOST_AT};
        for (std::size_t cell = number(found.m_pages[page], start + CELLS_AT, 2); cell-- > 0;)
            places.push_back(number(found.m_pages[page], start + INTERIOR_HEADER + 2 * cell, 2));
        for (auto at : places) {
            if (at + 4 > found.m_page_size || !take(number(found.m_pages[page], at, 4)))
                return std::nullopt;
            found.m_pointers.push_back({page, at, found.m_pages.size() - 1});
        }
    }
    return found;
}

bool FirstPage::lend_to(const std::string& path) const {
    std::error_code problem;
    auto size = std::filesystem::file_size(path, problem);
    auto there = static_cast<std::uint32_t>(size / m_page_size);
    if (problem || there == 0)
        return false;
    // All but the first one go to the end, where nothing of the damaged file is overwritten.
    auto pages = m_pages;
    for (const auto& pointer : m_pointers)
        put(pages[pointer.page], pointer.at, there + static_cast<std::uint32_t>(pointer.child));
    auto& first = pages.front();
    put(first, PAGES_AT, there + static_cast<std::uint32_t>(pages.size()) - 1);
    put(first, VALID_FOR_AT, number(first, CHANGES_AT, 4));
    put(first, FREE_AT, 0);
    put(first, FREE_AT + 4, 0);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.write(first.data(), static_cast<std::streamsize>(first.size()));
    file.seekp(static_cast<std::streamoff>(there * m_page_size));
    for (std::size_t i = 1; i < pages.size(); ++i)
        file.write(pages[i].data(), static_cast<std::streamsize>(pages[i].size()));
    file.flush();
    return file.good();
}

} // namespace himalaya::store
