-- The core file as all of its migrations leave it: a new file is made by this. The read model of the journal; all of it
-- can be dropped and built again from there.

-- How far the journal is projected; one row, written in the transaction of what it covers.
create table projection (
    sequence bigint not null,
    -- The first record there was: a journal that retains only so many days begins later than at 1.
    first_sequence bigint default 1,
    -- The account that was entered last.
    account bigint default 0
);
insert into projection (sequence) values (0);

-- Every journaled fact, as it was written, for whoever asks.
create table facts (
    sequence bigint not null,
    recorded_ns bigint not null,
    correlation_id varchar not null,
    fact_type varchar not null,
    fact varchar not null
);

-- One row for each client order id, in its present state.
create table orders (
    client_order_id varchar primary key,
    broker_order_id varchar,
    strategy varchar,
    symbol varchar,
    side varchar,
    quantity bigint,
    order_type varchar,
    limit_price double,
    state varchar not null,
    filled_quantity bigint not null,
    -- 32 digits before the point: so many shares at so high a price as a fact may say.
    filled_value decimal(38, 6) not null,
    reason varchar not null,
    created_ns bigint not null,
    changed_ns bigint not null,
    changed_sequence bigint not null,
    account bigint default 0,
    trigger_price double,
    validity varchar,
    product varchar,
    modifications bigint default 0,
    in_effect bigint default 0,
    settled bigint default 0,
    pending_quantity bigint,
    evidence varchar,
    cancellations bigint default 0,
    cancellations_refused bigint default 0,
    cancellations_doubted bigint default 0,
    cancellation_by varchar
);

create table fills (
    client_order_id varchar not null,
    trade_id varchar not null,
    strategy varchar not null,
    symbol varchar not null,
    side varchar not null,
    quantity bigint not null,
    price double not null,
    traded_ns bigint not null,
    sequence bigint not null,
    account bigint default 0,
    primary key (client_order_id, trade_id)
);

create view facts_utc as select make_timestamp_ns(recorded_ns) as recorded_time, * from facts;

create view orders_utc as
select
    make_timestamp_ns(created_ns) as created_time,
    make_timestamp_ns(changed_ns) as changed_time,
    case when filled_quantity > 0 then filled_value / filled_quantity end as average_price,
    *
from orders;

create view fills_utc as select make_timestamp_ns(traded_ns) as traded_time, * from fills;
