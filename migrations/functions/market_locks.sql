-- The market's lock order: payment intent and charge, order, shipment; the store, held by `market_store_hold` or closed
-- by `for update`; its connections; products by id; the store's version; listings by product; promo codes; turnovers;
-- accounts; the counts of the day last. Whoever changes products, or gives or takes what an order holds, holds the
-- store first. A closing or deletion thereby comes before such a transaction or after it, and never waits for its rows
-- while it waits for the store.
-- A product is locked `for no key update`: nothing changes its key, and a row that only names it (a photo, a line of a
-- cart) is written without waiting for whoever changes it.

-- Keeps a store as it is (open or closed, its slug) until the transaction ends; any number hold it at once.
create or replace function market_store_hold(store uuid) returns void language plpgsql as $$
begin
  perform from market_stores s where s.id = store for key share;
end $$;
