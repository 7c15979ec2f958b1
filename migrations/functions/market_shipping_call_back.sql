-- Pickups that nobody needs any more: the courier is told not to come, by a job that is written with its cause.

-- Writes that job for an order's parcel, once for as long as nothing more happens to the parcel. Returns its wake; one that
-- is there already looks again at once.
create or replace function market_call_pickup_back(order_key uuid) returns jsonb language plpgsql as $$
declare
  job_key constant text := concat_ws('/', 'market.call_back', order_key, (select count(*) from market_shipment_events e
    join market_shipments h on h.id = e.shipment_id where h.order_id = order_key));
begin
  return coalesce(
    jobs_enqueue('market.call_back', 'provisioning', job_key, jsonb_build_object('order_id', order_key), now(), 200),
    (select jobs_hurry(j.id) from jobs j where j.dedupe_key = job_key));
end $$;

-- Whether our courier may still come for a parcel that he has not fetched.
create or replace function market_pickup_waits(parcel market_shipments) returns boolean language sql immutable as $$
  select coalesce(parcel.kiriminaja_order_id is not null and parcel.requested_at is not null
    and parcel.shipped_at is null and parcel.status = 'pending', false)
$$;

-- market_pickup_to_call_back({order_id}) returns {number, instead_of} or null
-- The parcel that the courier need not fetch, by its order's number; null where he still should. `instead_of`: the waybill
-- under which the seller sends it himself; where it is the courier's own, that very parcel is meant.
create or replace function market_pickup_to_call_back(input jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('number', o.number, 'instead_of',
      case when o.status not in ('refunded', 'delivered') and h.kiriminaja_order_id is null then h.tracking_code end)
  from market_orders o join market_shipments h on h.order_id = o.id
  where o.id = (input->>'order_id')::uuid
    and (o.status in ('refunded', 'delivered') or h.status = 'cancelled' or h.kiriminaja_order_id is null)
$$;
