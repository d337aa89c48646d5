-- Changes of an order: how many were intended, which of them the terms are of, up to which it is known what became of
-- them, and the shares that the order may be for while one is not settled. And the strongest state that something else
-- than trades is evidence of, since an order that has become greater is not filled in full any more.
drop view orders_utc;
alter table orders add column modifications bigint default 0;
alter table orders add column in_effect bigint default 0;
alter table orders add column settled bigint default 0;
alter table orders add column pending_quantity bigint;
alter table orders add column evidence varchar;
update orders set evidence = case
    when state = 'REFUSED' then 'INTENDED'
    when state in ('PART_FILLED', 'FILLED') then 'ACCEPTED'
    else state
end;

create view orders_utc as
select
    make_timestamp_ns(created_ns) as created_time,
    make_timestamp_ns(changed_ns) as changed_time,
    case when filled_quantity > 0 then filled_value / filled_quantity end as average_price,
    *
from orders;
