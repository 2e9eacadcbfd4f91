// What every part of the binder shares: where errors go, what is known from outside, the session. Lives for
// one call of plan_pipeline.
#pragma once

#include <string>
#include <string_view>

#include "pipelines/functions/scalar.h"
#include "pipelines/plan/catalog.h"
#include "pipelines/plan/plan_size.h"
#include "pipelines/plan/settings.h"
#include "pipelines/sql/diagnostic.h"

namespace leat::plan {

struct BindContext {
  sql::Diagnostics& diagnostics;
  const Catalog& catalog;
  PlanSettings settings;
  functions::Session session;
  PlanSize* size = nullptr;  ///< Outlives the call. Null: nothing is made, only looked up.

  /// Counts what a query gives, or a FROM reads. False: too much, reported.
  [[nodiscard]] bool fits(const auto& schema, sql::SourceSpan span) const {
    return size == nullptr || size->take(schema, span, diagnostics);
  }

  /// Part of the dialect, not of this version: what, and the nearest form that works.
  void not_yet(sql::SourceSpan span, std::string_view what, std::string nearest = {}) const {
    diagnostics.error(span, std::string(what) + " is not supported yet by this version", std::move(nearest));
  }
};

}  // namespace leat::plan
