// Numbers by place, of which a commit writes the pages that changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipelines/anomaly/detector.h"

namespace leat::anomaly {

class PagedCells {
 public:
  /// `tag` tells its pages from the detector's others.
  PagedCells(std::size_t size, char tag);

  [[nodiscard]] std::size_t size() const { return cells_.size(); }
  [[nodiscard]] double operator[](std::size_t place) const { return cells_[place]; }
  void set(std::size_t place, double value) {
    cells_[place] = value;
    pages_[place / kPage] |= kChanged;
  }

  [[nodiscard]] std::size_t memory_bytes() const {
    return cells_.capacity() * sizeof(double) + pages_.capacity();
  }

  /// page := tag, varint page => double cell…
  void save_pages(StatePages& pages);
  [[nodiscard]] bool owns(std::string_view page) const { return page.starts_with(tag_); }
  /// Errors: corrupt.
  Status load_page(std::string_view page, std::string_view value);
  void unsave_pages(StatePages& pages);

 private:
  static constexpr std::size_t kPage = 16;
  static constexpr std::uint8_t kChanged = 1;
  static constexpr std::uint8_t kSaved = 2;
  [[nodiscard]] std::string page_name(std::size_t page) const;

  std::vector<double> cells_;
  std::vector<std::uint8_t> pages_;  // kChanged and kSaved of each page.
  char tag_;
};

}  // namespace leat::anomaly
