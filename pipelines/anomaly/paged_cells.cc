#include "pipelines/anomaly/paged_cells.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

namespace leat::anomaly {

PagedCells::PagedCells(std::size_t size, char tag)
    : cells_(size), pages_((size + kPage - 1) / kPage), tag_(tag) {}

std::string PagedCells::page_name(std::size_t page) const {
  std::string name(1, tag_);
  ByteWriter(name).varint(page);
  return name;
}

void PagedCells::save_pages(StatePages& pages) {
  std::string value;
  for (std::size_t page = 0; page < pages_.size(); ++page) {
    if ((pages_[page] & kChanged) == 0) continue;
    value.clear();
    ByteWriter writer(value);
    const std::size_t end = std::min((page + 1) * kPage, cells_.size());
    for (std::size_t place = page * kPage; place < end; ++place) writer.float64(cells_[place]);
    pages.put(page_name(page), value);
    pages_[page] = kSaved;
  }
}

Status PagedCells::load_page(std::string_view page, std::string_view value) {
  ByteReader name(page);
  ByteReader content(value);
  name.u8();
  const std::uint64_t number = name.varint();
  if (!name.ok() || number >= pages_.size())
    return fail(ErrorCode::kCorrupt, "a saved detector has a page that it cannot have");
  const auto place = static_cast<std::size_t>(number);
  const std::size_t end = std::min((place + 1) * kPage, cells_.size());
  for (std::size_t i = place * kPage; i < end; ++i) cells_[i] = content.float64();
  pages_[place] = kSaved;
  const auto cells = std::span(cells_).subspan(place * kPage, end - place * kPage);
  if (content.ok() && std::ranges::all_of(cells, [](double cell) { return std::isfinite(cell); })) return {};
  return fail(ErrorCode::kCorrupt, "a saved page of a detector is damaged");
}

void PagedCells::unsave_pages(StatePages& pages) {
  for (std::size_t page = 0; page < pages_.size(); ++page) {
    if ((pages_[page] & kSaved) != 0) pages.erase(page_name(page));
    pages_[page] = kChanged;
  }
}

}  // namespace leat::anomaly
