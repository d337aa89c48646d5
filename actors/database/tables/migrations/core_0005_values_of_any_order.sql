-- What an order has come to may have 32 digits before the point: so many shares at so high a price as a fact may say.
-- With 22 of them, one fact that is in its ranges kept all that came after it from being projected.
drop view orders_utc;
alter table orders alter column filled_value type decimal(38, 6);

create view orders_utc as
select
    make_timestamp_ns(created_ns) as created_time,
    make_timestamp_ns(changed_ns) as changed_time,
    case when filled_quantity > 0 then filled_value / filled_quantity end as average_price,
    *
from orders;
