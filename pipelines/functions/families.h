// Every family of scalar functions: one file each, listed once in scalar_table.cc. A new family is a file, a
// line here and a line there.
#pragma once

#include <vector>

#include "pipelines/functions/aggregate.h"
#include "pipelines/functions/scalar.h"

namespace leat::functions {

using ScalarFunctions = std::vector<ScalarFunction>;

ScalarFunctions comparison_functions();      ///< =, <, IS NULL, IS DISTINCT FROM, IN
ScalarFunctions logic_functions();           ///< NOT, AND, OR, IS TRUE
ScalarFunctions arithmetic_functions();      ///< +, -, *, /, %, NEGATE, with times and intervals
ScalarFunctions math_functions();            ///< ABS, ROUND, FLOOR, POWER, SIN, …
ScalarFunctions text_edit_functions();       ///< ||, UPPER, SUBSTRING, TRIM, LPAD, …
ScalarFunctions text_search_functions();     ///< CHAR_LENGTH, POSITION, SPLIT_INDEX, IS_DIGIT, …
ScalarFunctions pattern_functions();         ///< LIKE, SIMILAR TO, REGEXP, …
ScalarFunctions digest_functions();          ///< MD5, SHA2, TO_BASE64, HEX, RAND, UUID, …
ScalarFunctions time_part_functions();       ///< EXTRACT, YEAR, TIMESTAMPADD, TIMESTAMPDIFF, OVERLAPS
ScalarFunctions time_text_functions();       ///< TO_TIMESTAMP, DATE_FORMAT, UNIX_TIMESTAMP, …
ScalarFunctions time_now_functions();        ///< CURRENT_TIMESTAMP, NOW, CURRENT_WATERMARK, …
ScalarFunctions conditional_functions();     ///< IF, COALESCE, NULLIF, GREATEST, TYPEOF
ScalarFunctions collection_functions();      ///< ARRAY, MAP, ROW, [], ., CARDINALITY
ScalarFunctions array_functions();           ///< ARRAY_CONTAINS, ARRAY_SORT, SPLIT, …
ScalarFunctions map_functions();             ///< MAP_KEYS, MAP_UNION, STR_TO_MAP, OBJECT_OF, …
ScalarFunctions json_read_functions();       ///< JSON_VALUE, JSON_QUERY, JSON_EXISTS, IS JSON
ScalarFunction json_value_function();        ///< One of them.
ScalarFunctions json_write_functions();      ///< JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_QUOTE
ScalarFunctions encoding_functions();        ///< ENCODE, DECODE, URL_ENCODE, UNHEX, INET_ATON, PARSE_URL
ScalarFunctions pattern_search_functions();  ///< REGEXP_COUNT, REGEXP_EXTRACT_ALL, …
ScalarFunctions format_functions();          ///< PRINTF, TRANSLATE, ELT, HASH_CODE

}  // namespace leat::functions
