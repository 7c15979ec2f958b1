-- Coins for money. A purchase is the subject of an intent of purpose 'coins'; it credits coins once, when that is paid.

-- What is for sale at the start. Repeatable: what is there stays. A new price is a new row with the next version.
insert into live_coin_packages (package_id, method, coins, price_idr, valid_from)
select p.package_id, p.method, p.coins, p.price_idr, timestamptz '2020-01-01 00:00:00+07'
from (values
  (1, 'bank', 110000, 15000),
  (2, 'bank', 350000, 45000),
  (3, 'bank', 1170000, 150000),
  (4, 'bank', 5850000, 750000),
  (5, 'bank', 11700000, 1500000),
  (6, 'bank', 58500000, 7500000),
  (7, 'bank', 117000000, 15000000),
  (101, 'ewallet', 70000, 10000),
  (102, 'ewallet', 140000, 20000),
  (103, 'ewallet', 360000, 50000),
  (104, 'ewallet', 730000, 100000),
  (105, 'ewallet', 1480000, 200000),
  (106, 'ewallet', 3750000, 500000),
  (107, 'ewallet', 7600000, 1000000)
) p(package_id, method, coins, price_idr)
on conflict on constraint live_coin_packages_pkey do nothing;

-- The packages of that moment, each in its newest version.
create or replace function live_coins_on_sale(moment timestamptz)
returns setof live_coin_packages language sql stable as $$
  select distinct on (p.package_id) p.* from live_coin_packages p
  where p.valid_from <= moment
  order by p.package_id, p.version desc
$$;

-- {user_id, package_id, at, provider, channels, expiry_minutes, customer_email, idempotency_key, input_hash}
-- -> {order_id, payment: payments_opened}. A repeat with the same key and input answers with the first purchase.
create or replace function live_coins_buy(input jsonb) returns jsonb language plpgsql as $$
declare
  buyer bigint := (input->>'user_id')::bigint;
  purchase uuid := uuidv7();
  earlier text := http_claim(buyer, input->>'idempotency_key', 'coins.buy', input->>'input_hash', purchase::text);
  package live_coin_packages;
  payment jsonb;
  order_number text;
begin
  if earlier is not null then
    return (select jsonb_build_object('order_id', c.order_id, 'payment', payments_opened(c.intent_id))
      from live_coin_purchases c where c.id = earlier::uuid and c.user_id = buyer);
  end if;
  select * into package from live_coins_on_sale((input->>'at')::timestamptz) p
  where p.package_id = (input->>'package_id')::int;
  if not found then
    perform app_error('not_found', 'Paket tidak ditemukan');
  end if;
  payment := payments_open('coins', purchase::text, buyer, input->>'provider', package.price_idr,
    now() + make_interval(mins => (input->>'expiry_minutes')::int),
    array(select jsonb_array_elements_text(input->'channels')), input->>'customer_email');
  order_number := payment->'charges'->0->>'provider_ref';
  insert into live_coin_purchases (id, user_id, order_id, intent_id, package_id, package_version, coins, price_idr)
  values (purchase, buyer, order_number, (payment->>'intent_id')::uuid, package.package_id, package.version,
    package.coins, package.price_idr);
  return jsonb_build_object('order_id', order_number, 'payment', payment);
end $$;

-- {intent_id} -> {wake}: a paid purchase brings us its rupiah and its buyer his coins, once.
create or replace function live_coins_settled(input jsonb) returns jsonb language plpgsql as $$
declare
  intent payments_intents;
  purchase live_coin_purchases;
begin
  select * into intent from payments_intents i
  where i.id = (input->>'intent_id')::uuid and i.purpose = 'coins' and i.state = 'paid';
  select * into purchase from live_coin_purchases c where c.intent_id = intent.id;
  if found then
    perform ledger_post(jsonb_build_array(
      jsonb_build_object('reference', 'coins/' || intent.id || '/paid', 'debit_kind', 'gateway',
        'debit_owner', intent.provider, 'credit_kind', 'commission', 'credit_owner', 'coins',
        'amount', intent.amount, 'reason', 'Pembelian koin ' || purchase.order_id),
      jsonb_build_object('reference', 'coins/' || intent.id || '/coins', 'debit_kind', 'gateway',
        'debit_owner', 'coins', 'credit_kind', 'wallet', 'credit_owner', purchase.user_id::text,
        'amount', purchase.coins, 'currency', 'COIN', 'reason', 'Isi ulang koin')));
  end if;
  return jsonb_build_object('wake', '[]'::jsonb);
end $$;

-- {intent_id} -> {wake}: a purchase that was never paid held nothing.
create or replace function live_coins_expired(input jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('wake', '[]'::jsonb)
$$;
