"""Every function that a query may call, by class; any other is refused, new ones of a later DuckDB, too.

The class bounds the size of a call's value by that of its arguments, as `bounds.py` needs. Left out, with reasons:
what opens files or binds other SQL (`read_*`, `parquet_*`, `glob`, `sniff_csv`, `query`, `query_table`,
`json_execute_serialized_sql`, `json_serialize_plan`), what acts or waits (`checkpoint`, `enable_logging`, `write_log`,
`nextval`, `setseed`, `sleep_ms`), what holds secrets or variables (`duckdb_secrets`, `getvariable`), what allocates by
an argument that nothing counts (`reservoir_quantile`, `bitstring_agg`, `equi_width_bins`, `lttb`), and what is the
engine's own (`create_sort_key`, `finalize`, `combine`, `__internal_*`).
"""

from __future__ import annotations

from typing import Final


def _named(text: str) -> frozenset[str]:
    return frozenset(text.split())


TABLE_FUNCTIONS_OF_ARGUMENTS: Final = _named("range generate_series unnest json_each json_tree")
"""Table functions that make rows of their arguments, a few thousand at a time."""

TABLE_FUNCTIONS_OF_THE_CATALOG: Final = _named(
    """
    duckdb_columns duckdb_constraints duckdb_databases duckdb_functions duckdb_indexes duckdb_keywords duckdb_memory
    duckdb_schemas duckdb_settings duckdb_tables duckdb_triggers duckdb_types duckdb_views pragma_database_size
    pragma_table_info pragma_version
    """
)
"""Table functions about the instance, without side effects; their rows can change without a write."""

TABLE_FUNCTIONS_OF_NOTHING: Final = _named("icu_calendar_names pg_timezone_names test_all_types")
"""Table functions with constant rows."""

TABLE_FUNCTIONS: Final = TABLE_FUNCTIONS_OF_ARGUMENTS | TABLE_FUNCTIONS_OF_THE_CATALOG | TABLE_FUNCTIONS_OF_NOTHING

FIXED: Final = (
    _named("!~~ !~~* % * ** / // < <-> <= <=> <@ = != > >= @ @> ^ ^@ && ~~ ~~* ~~~ !__postfix -")
    | frozenset({"IS DISTINCT FROM".lower(), "IS NOT DISTINCT FROM".lower()})
    | _named(
        """
        abs acos acosh age array_contains array_cosine_distance array_cosine_similarity array_distance
        array_dot_product array_has array_has_all array_has_any array_indexof array_inner_product array_length
        array_negative_dot_product array_negative_inner_product array_position array_unique ascii asin asinh atan atan2
        atanh bit_count bit_length bit_position cardinality cbrt ceil ceiling century char_length character_length
        contains cos cosh cot current_date current_localtime current_localtimestamp damerau_levenshtein date_add
        date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek
        dayofyear days_in_month decade degrees divide editdist3 ends_with epoch epoch_ms epoch_ns epoch_us era even exp
        factorial fdiv floor fmod gamma gcd gen_random_uuid get_bit get_current_time get_current_timestamp
        greatest_common_divisor hamming hash hour ilike_escape instr isfinite isinf isnan isodow isoyear jaccard
        jaro_similarity jaro_winkler_similarity json_array_length json_contains json_exists json_valid julian last_day
        lcm least_common_multiple len length length_grapheme levenshtein lgamma like_escape list_avg list_contains
        list_cosine_distance list_cosine_similarity list_count list_distance list_dot_product list_has list_has_all
        list_has_any list_indexof list_inner_product list_negative_dot_product list_negative_inner_product
        list_position list_stddev_pop list_stddev_samp list_sum list_unique list_var_pop list_var_samp ln log log10
        log2 make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz map_contains
        map_contains_entry map_contains_value microsecond millennium millisecond minute mismatches mod month monthname
        multiply nanosecond nextafter normalized_interval not_ilike_escape not_like_escape now octet_length ord
        parse_formatted_bytes pi position pow power prefix quarter radians random regexp_full_match regexp_matches
        round round_even roundbankers second sign signbit sin sinh sqrt starts_with strlen strpos strptime
        struct_contains struct_has struct_indexof struct_position suffix tan tanh time_bucket timezone timezone_hour
        timezone_minute to_centuries to_days to_decades to_hours to_microseconds to_millennia to_milliseconds
        to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years today transaction_timestamp trunc
        txid_current
        try_strptime unicode uuid uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 week weekday weekofyear
        year yearweek
        """
    )
    | _named(
        """
        current_catalog current_database current_schema current_role current_user session_user user version typeof
        pg_typeof enum_code md5 md5_number sha1 sha256 chr bar format_bytes formatreadablesize
        formatreadabledecimalsize
        """
    )
)
"""Functions whose value is small, whatever the arguments."""

ALIKE: Final = _named(
    """
    subtract || & | << >> ~ xor -> ->> alias any_value array_append array_cat array_concat array_cross_product
    array_distinct array_extract array_filter array_grade_up array_intersect array_pop_back array_pop_front
    array_prepend array_push_back array_push_front array_reverse array_reverse_sort array_select array_slice array_sort
    array_value array_where concat concat_ws constant_or_null decode element_at encode enum_first enum_last enum_range
    enum_range_boundary error filter flatten from_base64 from_binary from_hex generate_subscripts grade_up greatest if
    json_extract json_extract_path json_extract_path_text json_extract_string json_merge_patch json_remove
    json_strip_nulls json_type json_value lcase least left left_grapheme list_any_value list_append list_cat
    list_concat list_distinct list_element list_extract list_filter list_first list_grade_up list_intersect list_last
    list_max list_median list_min list_mode list_pack list_prepend list_reverse list_reverse_sort list_select
    list_slice list_sort list_value list_where lower ltrim map map_concat map_entries map_extract map_extract_value
    map_from_entries map_keys map_values nfc_normalize nullif overlay parse_dirname parse_dirpath parse_filename
    path_join regexp_extract remap_struct reverse right right_grapheme row rtrim set_bit split_part strip_accents
    struct_concat struct_extract struct_extract_at struct_insert struct_keys struct_pack struct_update struct_values
    substr substring substring_grapheme switch translate trim ucase unbin unhex union_extract union_tag union_value
    unnest upper
    """
)
"""Functions whose value is at most as large as their arguments together."""

WIDER: Final = {
    **dict.fromkeys(_named("hex to_hex to_base64 base64 regexp_escape json_quote"), 2),
    **dict.fromkeys(_named("url_encode url_decode"), 3),
    **dict.fromkeys(_named("json_array json_object json_insert json_replace json_set json_deep_merge"), 8),
    **dict.fromkeys(_named("array_to_json json json_normalize json_pretty json_structure row_to_json to_json"), 8),
    **dict.fromkeys(_named("from_json from_json_strict json_transform json_transform_strict json_keys"), 8),
    **dict.fromkeys(_named("bin to_binary"), 8),
    **dict.fromkeys(_named("array_zip list_zip list_aggr list_aggregate array_aggr array_aggregate aggregate"), 8),
    **dict.fromkeys(_named("parse_path regexp_extract_all regexp_split_to_array split str_split str_split_regex"), 32),
    **dict.fromkeys(_named("string_split string_split_regex string_to_array strftime regexp_split_to_table"), 32),
}
"""Functions whose value is at most so many times as large as their arguments together."""

SUMS: Final = _named("+ add")
"""Sums of numbers, of times and, rarely, of lists."""

REPEATING: Final = dict.fromkeys(_named("repeat list_resize array_resize"), 1)
"""The argument of this place, from 0, says how many times the others are in their value."""

PADDING: Final = {**dict.fromkeys(_named("lpad rpad bitstring"), 1), "to_base": 2}
"""The argument of this place, from 0, says how many letters their value has."""

SERIES: Final = _named("range generate_series")
"""Functions whose value is a list of numbers."""

REPLACING: Final = _named("replace regexp_replace array_to_string array_to_string_comma_default list_string_agg")
"""Functions that may repeat their last text for each letter of the first."""

FORMATTING: Final = _named("format printf")
"""Functions whose first argument contains widths."""

MAPPING: Final = _named("list_transform list_apply array_transform array_apply apply")
"""Functions whose value has a result of their lambda for each element."""

REDUCING: Final = _named("list_reduce array_reduce reduce")
"""Functions whose lambda is given its own result again, once for each element."""

COLLECTING: Final = _named(
    """
    list array_agg string_agg group_concat listagg histogram histogram_exact json_group_array json_group_object
    json_group_structure quantile quantile_cont quantile_disc approx_quantile
    """
)
"""Aggregates that keep all their inputs, which DuckDB counts against its memory limit."""

HOARDING: Final = COLLECTING | _named("mode entropy")
"""Aggregates that are refused over windows: they would keep their inputs once for each row."""

AGGREGATES: Final = _named(
    """
    approx_count_distinct arbitrary arg_max arg_max_null arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last
    argmax argmin avg bit_and bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop
    covar_samp entropy favg first fsum geomean geometric_mean grouping grouping_id kahan_sum kurtosis kurtosis_pop last
    mad max max_by mean median min min_by mode product regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope
    regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop stddev_samp sum sum_no_overflow sumkahan var_pop var_samp
    variance wavg weighted_avg
    """
)
"""Aggregates whose value is one of their inputs, or a number."""

WINDOWS: Final = _named(
    """
    cume_dist dense_rank fill first first_value lag last last_value lead nth_value ntile percent_rank rank rank_dense
    row_number
    """
)

VALUES: Final = frozenset(
    FIXED
    | ALIKE
    | SUMS
    | WIDER.keys()
    | REPEATING.keys()
    | PADDING.keys()
    | SERIES
    | REPLACING
    | FORMATTING
    | MAPPING
    | REDUCING
)
"""All functions that compute a value for each row."""

FUNCTIONS: Final = VALUES | COLLECTING | AGGREGATES | WINDOWS
"""All functions but the table functions."""
