// Brings late rows to the table that 'leat.late-rows' names; without one they are only counted, by the
// operator that refused them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipelines/exec/dataflow.h"
#include "pipelines/exec/evaluate.h"

namespace leat::exec {

class Stage;

/// Stands between the operators and the environment.
class LateRouter final : public Environment {
 public:
  /// `environment` outlives the router.
  explicit LateRouter(Environment& environment) : environment_(environment) {}

  /// Rows like `schema` that the operator `name` refuses become rows of `sink`, by `columns` over them. The
  /// stage outlives the router.
  void add_route(const std::string& name, const Schema& schema, const std::vector<plan::ExprPtr>& columns,
                 Stage& sink);

  Status output(std::size_t sink, const Batch& batch) override { return environment_.output(sink, batch); }
  void dead(std::string_view where, const Schema& schema, const Batch& batch, std::size_t row,
            std::string_view reason) override {
    environment_.dead(where, schema, batch, row, reason);
  }
  void late(std::string_view where, const Schema& schema, const Batch& batch,
            std::span<const std::uint32_t> rows) override;

  [[nodiscard]] bool has_routes() const { return !routes_.empty(); }

  /// The first error since the last call: of the sink.
  Status take_error();

 private:
  struct Route {
    Schema schema;  // Of the input: an operator may refuse rows of several.
    std::vector<Evaluator> columns;
    Stage* sink = nullptr;
  };
  Status send(const Route& route, std::string_view where, const Schema& schema, const Batch& rows);

  Environment& environment_;
  std::multimap<std::string, Route, std::less<>> routes_;  // By operator.
  Status error_;
};

}  // namespace leat::exec
