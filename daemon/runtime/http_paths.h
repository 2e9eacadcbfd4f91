// Tables of several pipelines that listen on one address ('connector' = 'http' as a source) and get into each
// other's way.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/plan/node.h"
#include "sources/http/http_ports.h"

namespace leat::runtime {

/// Pure.
class HttpPaths {
 public:
  /// `file` is for messages.
  void add(const std::string& file, const plan::Plan& plan);
  /// One sentence for each path that several tables take, and for each address with different settings.
  [[nodiscard]] std::vector<std::string> clashes() const;

 private:
  struct Table {
    std::string place;  // "'sent' of a.sql"
    std::string path;
    sources::HttpPortSettings settings;
  };
  std::map<std::string, std::vector<Table>> tables_;  // By address.
};

}  // namespace leat::runtime
