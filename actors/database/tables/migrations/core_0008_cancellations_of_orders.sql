-- Cancellations of an order: how many were asked for, up to which they are known to have been refused, up to which they
-- had no answer in time, and who asked for the newest.
drop view orders_utc;
alter table orders add column cancellations bigint default 0;
alter table orders add column cancellations_refused bigint default 0;
alter table orders add column cancellations_doubted bigint default 0;
alter table orders add column cancellation_by varchar;

create view orders_utc as
select
    make_timestamp_ns(created_ns) as created_time,
    make_timestamp_ns(changed_ns) as changed_time,
    case when filled_quantity > 0 then filled_value / filled_quantity end as average_price,
    *
from orders;
