// Tables of several pipelines that use one stream ('connector' = 'stream') and do not fit each other.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/plan/node.h"

namespace leat::runtime {

/// Pure.
class StreamColumns {
 public:
  /// `file` is for messages.
  void add(const std::string& file, const plan::Plan& plan);
  /// One sentence for each stream that is declared with different columns, or read by who writes it.
  [[nodiscard]] std::vector<std::string> clashes() const;
  /// One sentence for each stream that some file writes and none reads, or the other way round; for warnings.
  [[nodiscard]] std::vector<std::string> loose_ends() const;

 private:
  struct Stream {
    std::map<std::string, std::set<std::string>> tables;  // By columns: "'clean' of a.sql".
    std::set<std::string> writers;                        // Files.
    std::set<std::string> readers;
  };
  /// The streams from `name` on to itself, over two files and more; empty: there is no such way.
  [[nodiscard]] std::vector<std::string> circle(const std::string& name) const;
  bool find_way(const std::string& from, const std::string& to, std::vector<std::string>& way) const;

  std::map<std::string, Stream> streams_;  // By name.
};

}  // namespace leat::runtime
