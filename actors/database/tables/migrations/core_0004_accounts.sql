-- Whose orders and fills they are. Those of earlier releases are all of account 0.
alter table projection add column account bigint default 0;

drop view orders_utc;
drop view fills_utc;
alter table orders add column account bigint default 0;
alter table fills add column account bigint default 0;

-- Projected anew, by the rules that the migration before speaks of.
delete from fills;
delete from orders;

create view orders_utc as
select
    make_timestamp_ns(created_ns) as created_time,
    make_timestamp_ns(changed_ns) as changed_time,
    case when filled_quantity > 0 then filled_value / filled_quantity end as average_price,
    *
from orders;

create view fills_utc as select make_timestamp_ns(traded_ns) as traded_time, * from fills;
