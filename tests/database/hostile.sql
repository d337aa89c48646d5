-- What no query may do, a statement a line: {own} is the database's own file, {folder} where it lies, {other} a file of
-- the user's. Each names another door, or another spelling of one.
select octet_length(content) from read_blob('file:{own}')
select octet_length(content) from read_blob('file:{own}.wal')
select octet_length(content) from read_blob('file://{own}')
select octet_length(content) from read_blob('file:////{own}')
select octet_length(content) from read_blob('FILE:{own}')
select octet_length(content) from read_blob('{own}')
select octet_length(content) from read_blob('{own}.wal')
select octet_length(content) from read_blob('//{own}')
select octet_length(content) from read_blob('/{own}')
select octet_length(content) from read_blob('///proc/self/root{own}')
select octet_length(content) from read_blob('/proc/self/root{own}')
select octet_length(content) from read_blob('/proc/self/cwd/../../../../..{own}')
select octet_length(content) from read_blob('/proc/thread-self/root{own}')
select octet_length(content) from read_blob('/proc/self/fd/10')
select octet_length(content) from read_blob('/dev/fd/10')
select octet_length(content) from read_blob('{folder}/./natya.duckdb')
select octet_length(content) from read_blob('{folder}/archive/../natya.duckdb')
select octet_length(content) from read_blob('{folder}/link.duckdb')
select octet_length(content) from read_blob('file:{folder}/link.duckdb')
select octet_length(content) from read_blob('{folder}/natya*')
select octet_length(content) from read_blob('file:{folder}/nat?a.duckdb')
select octet_length(content) from read_blob('file:{folder}/[n]atya.duckdb')
select octet_length(content) from read_blob('file:{folder}/**')
select octet_length(content) from read_blob('{folder}/natya-market.duckdb')
select octet_length(content) from read_blob('file:{folder}/natya-market.duckdb')
select octet_length(content) from read_blob('natya.duckdb')
select octet_length(content) from read_blob(['{own}'])
select octet_length(content) from read_blob(['{other}', 'file:{own}'])
select octet_length(content) from read_blob('fi' || 'le:{own}')
select octet_length(content) from read_blob(concat('{own}', ''))
select octet_length(content) from read_blob(upper('{own}'))
select octet_length(content) from read_blob(chr(47) || 'etc/passwd')
select octet_length(content) from read_blob((select '{own}'))
select octet_length(content) from read_blob(getvariable('own'))
select octet_length(content) from read_blob(list_value('{own}'))
select octet_length(content) from read_blob('{own}'::varchar)
select octet_length(content) from read_blob(E'\x2fetc/passwd')
select octet_length(content) from READ_BLOB('{own}')
select octet_length(content) from "read_blob"('{own}')
select octet_length(content) from "READ_blob"('{own}')
select octet_length(content) from read_blob /* ( */ ('{own}')
select octet_length(content) from main.read_blob('{own}')
select octet_length(content) from system.main.read_blob('{own}')
select octet_length(content) from core.main.read_blob('{own}')
select b.* from read_blob('{own}') b
select * from read_text('{own}')
select * from read_text('file:{own}')
select * from read_text('{other}')
select * from read_csv('{own}')
select * from read_csv('{other}')
select * from read_csv('file:{own}', auto_detect = false, columns = {{'a': 'varchar'}})
select * from read_csv_auto('{own}')
select * from sniff_csv('{own}')
select * from sniff_csv('file:{own}')
select * from read_json('{own}')
select * from read_json_auto('{own}')
select * from read_json_objects('{own}')
select * from read_json_objects_auto('{own}')
select * from read_ndjson('{own}')
select * from read_ndjson_auto('{own}')
select * from read_ndjson_objects('{own}')
select * from read_parquet('{own}')
select * from read_parquet('file:{own}')
select * from read_parquet('{folder}/archive/*.parquet')
select * from parquet_scan('{own}')
select * from parquet_schema('{own}')
select * from parquet_metadata('{own}')
select * from parquet_file_metadata('{own}')
select * from parquet_kv_metadata('{own}')
select * from parquet_full_metadata('{own}')
select * from parquet_bloom_probe('{own}', 'a', 1)
select * from parquet_page_index('{own}')
select * from read_duckdb('{own}')
select * from read_duckdb('file:{own}', table_name = 'orders')
select * from read_single_csv_file('{own}')
select * from read_single_json_file('{own}')
select * from read_single_parquet_file('{own}')
select * from glob('{folder}/*')
select * from glob('file:{own}')
select * from glob('/proc/self/fd/*')
select * from glob('/etc/*')
from '{own}'
from "{own}"
from 'file:{own}'
from '{other}'
from "{other}"
select * from 'natya.duckdb'
select * from natya.duckdb
select * from "natya"."duckdb"
select * from "file:{folder}/natya"."duckdb"
select * from "{folder}/natya".duckdb
select * from secret.csv
select * from "secret".csv
select * from core.secret.csv
select * from x.y.csv
table '{other}'
table "secret.csv"
describe '{other}'
describe from '{own}'
describe select * from read_blob('{own}')
summarize '{other}'
summarize from read_csv('{other}')
summarize select * from read_blob('{own}')
show '{other}'
(from read_blob('{own}'))
((select 1) union all (select octet_length(content) from read_blob('{own}')))
select 1 except select octet_length(content) from read_blob('{own}')
select (select octet_length(content) from read_blob('{own}'))
select exists (from read_blob('{own}'))
select 1 where 1 in (select octet_length(content) from read_blob('{own}'))
select array(select content from read_blob('{own}'))
select 1 from (values (1)) v(x) where x = any(select octet_length(content) from read_blob('{own}'))
select 1 order by (select octet_length(content) from read_blob('{own}'))
select 1 limit (select octet_length(content) from read_blob('{own}'))
select 1 group by (select octet_length(content) from read_blob('{own}'))
select count(*) filter (where (select true from read_blob('{own}')))
select sum(1) over (order by (select octet_length(content) from read_blob('{own}')))
select case when true then (select octet_length(content) from read_blob('{own}')) end
select list_transform([1], lambda x: (select octet_length(content) from read_blob('{own}')))
select [(select octet_length(content) from read_blob('{own}')) for x in [1]]
select {{'a': (select octet_length(content) from read_blob('{own}'))}}
select * from (select 1) a, lateral (select * from read_blob('{own}'))
select * from (select 1) a join read_blob('{own}') b on true
select * from (select 1) a positional join read_blob('{own}') b
select * from (select 1 x) a asof join (select 1 x from read_blob('{own}')) b using (x)
with x as (from read_blob('{own}')) from x
with x as materialized (from read_blob('{own}')) from x
with x as not materialized (from read_blob('{own}')) from x
with x as (from read_blob('{own}')) select 1
with recursive x as (select 1 as n union all select octet_length(content)::int from read_blob('{own}'), x) from x
with x as (with y as (from read_blob('{own}')) from y) from x
from (from read_blob('{own}') pivot (count(*) for filename in ('a', 'b')))
from (from read_blob('{own}') unpivot (v for n in (filename)))
select * from query('select * from read_blob(''{own}'')')
select * from query('from orders')
select * from query_table('{own}')
select * from query_table('orders')
select * from query_table(['orders', '{own}'])
select * from json_execute_serialized_sql(json_serialize_sql('select * from read_blob(''{own}'')'))
select json_serialize_plan('select * from read_csv(''{own}'')')
select json_serialize_sql('select 1')
select json_deserialize_sql('{{}}')
select * from pragma_show('{other}')
select * from pragma_storage_info('orders')
select * from pragma_metadata_info()
select * from pragma_user_agent()
select * from pragma_platform()
select * from duckdb_secrets()
select * from which_secret('x', 's3')
select * from duckdb_variables()
select * from duckdb_logs()
select * from duckdb_logs_parsed('x')
select * from duckdb_extensions()
select * from duckdb_temporary_files()
select * from duckdb_external_file_cache()
select * from duckdb_prepared_statements()
select * from enable_logging(storage_path = '{folder}/log')
select * from enable_logging('x')
select * from disable_logging()
select * from truncate_duckdb_logs()
select * from enable_profiling(save_location = '{folder}/p')
select * from checkpoint()
select * from checkpoint('core')
select * from force_checkpoint('market')
select * from register_external_resource('x')
select * from arrow_scan(1, 2, 3)
select * from pandas_scan(1)
select * from python_map_function(1)
select * from seq_scan('orders')
select * from repeat('x', 10)
select * from repeat_row(1, num_rows = 10)
select * from summary((select 1))
select getenv('HOME')
select getvariable('x')
select current_setting('secret_directory')
select nextval('s')
select currval('s')
select setseed(0.5)
select sleep_ms(1000)
select pg_sleep(1)
select write_log('x')
select finalize(1)
select to_aggregate_state(1)
select create_sort_key(1, 'asc')
select upper(read_blob('{own}'))
select read_text('{other}')
select 'x'.read_text()
select '{own}'.read_blob()
select x.read_blob() from (select '{own}' as x)
select histogram_values('a', 'b')
from histogram('{other}', a)
select __internal_compress_string_utinyint('x')
copy (select 1) to '{folder}/out.csv'
copy orders to 'file:{own}'
copy orders from '{other}'
export database core to '{folder}/out'
import database '{folder}'
attach '{own}' as again
attach 'file:{own}' as again (read_only)
attach ':memory:' as again
detach market
use market
install httpfs
load '{folder}/x.duckdb_extension'
force install httpfs
update extensions
create table x as select * from read_blob('{own}')
create view x as select * from read_blob('{own}')
create macro x() as table select * from read_blob('{own}')
create secret (type s3, key_id 'x', secret 'y')
insert into orders select * from read_csv('{other}')
with x as (insert into market.recorded values ('x', 1) returning *) from x
with x as (delete from market.recorded returning *) from x
with x as (update market.recorded set sequence = 1 returning *) from x
update market.recorded set sequence = 1
delete from market.recorded
truncate market.recorded
drop table market.ticks
alter table market.ticks add column x int
prepare p as select * from read_blob('{own}')
execute p
deallocate p
explain select * from read_csv('{other}')
explain analyze select * from read_blob('{own}')
pragma database_list
pragma version
pragma storage_info('orders')
pragma import_database('{folder}')
call pragma_version()
call checkpoint()
call enable_logging('x')
set variable own = '{own}'
set memory_limit = '10GB'
reset memory_limit
begin
commit
rollback
checkpoint
vacuum
analyze
comment on table market.ticks is 'x'
pivot market.ticks on symbol using count(*)
select 1; select 2
select 1; copy (select 1) to '{folder}/out.csv'
select * from market.ticks at (version => 1)
select * from duckdb_functions() f, lateral (select * from query('select 1'))
