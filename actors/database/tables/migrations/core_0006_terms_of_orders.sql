-- Stops, validity and product. Orders of earlier releases were no stops, held for their day, and had the product of the
-- broker's settings.
drop view orders_utc;
alter table orders add column trigger_price double;
alter table orders add column validity varchar;
alter table orders add column product varchar;
update orders set validity = 'DAY' where order_type is not null;

create view orders_utc as
select
    make_timestamp_ns(created_ns) as created_time,
    make_timestamp_ns(changed_ns) as changed_time,
    case when filled_quantity > 0 then filled_value / filled_quantity end as average_price,
    *
from orders;
