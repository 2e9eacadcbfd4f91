// Tables that connect to one broker under one name: each connection throws the other out, for ever.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/plan/node.h"

namespace leat::runtime {

/// Pure. The tables of several pipelines, whatever their connector, that name a client themselves.
class ClientNames {
 public:
  /// `file` is for messages.
  void add(const std::string& file, const plan::Plan& plan);
  /// One sentence for each name that several tables have.
  [[nodiscard]] std::vector<std::string> clashes() const;

 private:
  void add_table(const std::string& file, const std::string& table, const OptionMap& options);

  std::map<std::pair<std::string, std::string>, std::vector<std::string>> tables_;  // By broker and name.
};

}  // namespace leat::runtime
