-- The gifts that may be given at the start, at the prices of the app's own lists; a party room sells the same names at
-- its own prices. Repeatable: what is there stays. A new price is a new row with the next version.
insert into live_gift_catalogue (scene, gift_id, name, category, price, host_percent, valid_from)
select g.scene, g.gift_id, g.name, g.category, g.price,
  case when g.category in ('lucky', 's-lucky') then 10 else 50 end, timestamptz '2020-01-01 00:00:00+07'
from (values
  ('live', 'cute', 'Labu', 's-lucky', 100),
  ('live', 'diamond', 'Milk tea', 's-lucky', 100),
  ('live', 'maxi', 'Beach', 's-lucky', 250),
  ('live', 'ring', 'Yellow Duck', 's-lucky', 500),
  ('live', 'cupid', 'Carousel', 'lucky', 100),
  ('live', 'sweetheart', 'Vacation', 'lucky', 200),
  ('live', 'balon', 'Unicorn', 'lucky', 300),
  ('live', 'burger', 'Burger', 'luxury', 2999),
  ('live', 'cake', 'Cake', 'luxury', 5000),
  ('party', 'cute', 'Labu', 's-lucky', 50),
  ('party', 'diamond', 'Milk tea', 's-lucky', 100),
  ('party', 'maxi', 'Beach', 's-lucky', 150),
  ('party', 'ring', 'Yellow Duck', 's-lucky', 200),
  ('party', 'cupid', 'Carousel', 'lucky', 100),
  ('party', 'sweetheart', 'Vacation', 'lucky', 250),
  ('party', 'balon', 'Unicorn', 'lucky', 500),
  ('party', 'burger', 'Burger', 'luxury', 2999),
  ('party', 'cake', 'Cake', 'luxury', 700),
  ('party', 'heart', 'Heart', 'normal', 120),
  ('party', 'rose', 'Rose', 'normal', 180)
) g(scene, gift_id, name, category, price)
on conflict on constraint live_gift_catalogue_pkey do nothing;

-- What is sold at that moment: the newest version of each gift whose time has come, unless it is withdrawn.
create or replace function live_gifts_on_sale(moment timestamptz)
returns setof live_gift_catalogue language sql stable as $$
  select sold.* from (
    select distinct on (c.scene, c.gift_id) c.* from live_gift_catalogue c
    where c.valid_from <= moment
    order by c.scene, c.gift_id, c.version desc
  ) sold
  where sold.is_offered
$$;
