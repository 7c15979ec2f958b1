-- market_assistant_act(input) returns void
-- Stands before the first statement of every verb that the assistant runs, in the same transaction. Guarantees: the
-- user's sign-in is alive and holds the tool's role; the turn still holds the user's session; the subject is the
-- user's own; what needs the user's own yes is not done without a proposal that he confirmed and that is used up
-- here; and whatever is done stands in the log with what was there before.
-- input: {sign_in, user_id, role, writes, session_id, turn_id, action_id, tool, input, target_id?, from_outside,
--   own_words?: {field, figure, words, all}, proposal_id?, actor_kind, actor_id, request_id}
create or replace function market_assistant_act(input jsonb) returns void language plpgsql as $$
#variable_conflict use_variable
declare
  person bigint := (input->>'user_id')::bigint;
  tool text := input->>'tool';
  proposal uuid := (input->>'proposal_id')::uuid;
  subject jsonb;
  reason text;
begin
  perform identity_require_session((input->>'sign_in')::uuid, person, input->>'role');
  if not (input->>'writes')::boolean then
    return;
  end if;
  perform from market_assistant_sessions s
  where s.id = (input->>'session_id')::uuid and s.user_id = person and s.turn_id = (input->>'turn_id')::uuid
    and s.turn_until > now() for share;
  if not found then
    perform app_error('conflict', 'Sesi ini sudah berakhir');
  end if;

  subject := market_assistant_subject(person, tool, (input->>'target_id')::uuid);
  reason := market_assistant_danger(person, tool, input->'input', subject);
  if reason is null and (input->>'from_outside')::boolean then
    reason := 'Asisten sudah membaca tulisan dari luar';
  end if;
  if reason is null and not market_assistant_said(tool, input->'input', subject, input->'own_words') then
    reason := 'Pesan pengguna memuat lebih dari perubahan ini';
  end if;
  if proposal is not null then
    perform market_assistant_consume(input, subject);
  elsif reason is not null then
    perform app_error('conflict', 'Perlu konfirmasi pengguna',
      jsonb_build_object('assistant', 'confirm', 'reason', reason, 'before', subject,
        'names', market_assistant_names(person, input->'input', subject)));
  end if;

  insert into market_assistant_actions
    (id, user_id, session_id, tool, input, target_kind, target_id, before, after, confirmed)
  values ((input->>'action_id')::uuid, person, (input->>'session_id')::uuid, tool, input->'input',
    coalesce(subject->>'kind', market_assistant_makes(tool)),
    coalesce(subject->>'id', case when market_assistant_makes(tool) is not null then input->>'action_id' end)::uuid,
    subject, market_assistant_change(tool, input->'input'), proposal is not null);
  perform audit_write(jsonb_build_object('actor_kind', input->'actor_kind', 'actor_id', input->'actor_id',
    'request_id', input->'request_id', 'action', 'market.assistant.' || tool,
    'subject_kind', coalesce(subject->>'kind', 'assistant_action'),
    'subject_id', coalesce(subject->>'id', input->>'action_id'),
    'before', subject, 'after', input->'input',
    'reason', case when proposal is null then 'asked of the assistant' else 'confirmed by the user' end));
end $$;

-- What a tool acts on, as it is now and locked, or null where it makes something new; fails when the user may not. What
-- is somebody else's is told by its store's slug too (`store`): names are not unique.
create or replace function market_assistant_subject(person bigint, tool text, target uuid) returns jsonb
language plpgsql as $$
#variable_conflict use_variable
declare
  found_row jsonb;
begin
  if tool in ('update_product', 'delete_product', 'enhance_product_photo', 'feature_product') then
    select jsonb_build_object('kind', 'market_product', 'id', p.id, 'name', p.name, 'description', p.description,
      'price', p.price, 'stock', p.stock, 'stock_counts', p.stock_counts, 'weight_gram', p.weight_gram, 'category_id', p.category_id,
      'status', p.status, 'is_featured', p.is_featured)
      || case when tool = 'feature_product' then jsonb_build_object('store', s.slug) else '{}' end into found_row
    from market_products p join market_stores s on s.id = p.store_id
    where p.id = target and p.deleted_at is null and s.deleted_at is null
      and (tool = 'feature_product' or s.user_id = person)
    for key share of s for no key update of p;
    if found_row is null then
      perform app_error('not_found', 'Produk tidak ditemukan');
    end if;
  elsif tool in ('update_store_info', 'set_store_location', 'feature_store') then
    select jsonb_build_object('kind', 'market_store', 'id', s.id, 'name', s.name, 'description', s.description,
      'address', s.address, 'lat', s.lat, 'lng', s.lng, 'is_featured', s.is_featured)
      || case when tool = 'feature_store' then jsonb_build_object('store', s.slug) else '{}' end into found_row
    from market_stores s
    where s.deleted_at is null and case when tool = 'feature_store' then s.id = target else s.user_id = person end
    for no key update of s;
    if found_row is null then
      perform app_error('not_found', case when tool = 'feature_store' then 'Store not found' else 'Toko belum dibuat' end);
    end if;
  else
    perform from market_stores s where s.user_id = person and s.deleted_at is null for key share;
    if not found then
      perform app_error('not_found', 'Toko belum dibuat');
    end if;
  end if;
  return found_row;
end $$;

-- Whether the user's own message says this change of a price or a stock and nothing else: the field, the figure and,
-- in all its other words, the name of this product, and of no other in its store. Any other write waits for a yes,
-- because nobody can tell a wish from a buyer's chat that was pasted into a message.
create or replace function market_assistant_said(tool text, input jsonb, subject jsonb, said jsonb) returns boolean
language sql stable as $$
  select case when tool = 'update_product' and said->>'field' is not null then
    input - 'product_id' = jsonb_build_object(said->>'field', said->'figure')
      and market_assistant_means((subject->>'id')::uuid, array(select jsonb_array_elements_text(said->'words')),
        array(select jsonb_array_elements_text(said->'all')))
    else false end
$$;

-- Whether these words name one product among those of its store. Where several names hold them, it is the one name that
-- is whole in the message (`spoken`: "Kopi", and not "Kopi Kelud").
create or replace function market_assistant_means(product uuid, words text[], spoken text[]) returns boolean
language sql stable as $$
  with named as (
    select p.id, n.name <@ spoken as is_whole from market_products p
    cross join lateral (select array_remove(regexp_split_to_array(lower(p.name), '[^[:alnum:]]+'), '') as name) n
    where p.store_id = (select q.store_id from market_products q where q.id = product) and p.deleted_at is null
      and words <@ n.name
  )
  select exists (select from named n where n.id = product and not exists (select from named o
    where o.id <> n.id and (o.is_whole or not n.is_whole)))
$$;

-- Why this may only be done when the user himself says yes, or null. A price is compared with the highest that the
-- assistant found in the last 24 hours since the user's last yes, so that many small steps are one large one.
create or replace function market_assistant_danger(person bigint, tool text, input jsonb, subject jsonb) returns text
language plpgsql as $$
#variable_conflict use_variable
declare
  highest bigint;
begin
  if tool = 'update_product' then
    select greatest((subject->>'price')::bigint, max((a.before->>'price')::bigint)) into highest
    from market_assistant_actions a
    where a.target_id = (subject->>'id')::uuid and a.tool = 'update_product' and a.after ? 'price'
      and a.undone_at is null and a.created_at > now() - interval '24 hours'
      and not exists (select from market_assistant_actions c
        where c.target_id = a.target_id and c.confirmed and c.after ? 'price' and c.created_at >= a.created_at);
    highest := coalesce(highest, (subject->>'price')::bigint);
    if (input->>'price')::bigint * 2 < highest then
      return 'Harga turun lebih dari setengah';
    end if;
    if subject->>'status' = 'active' and input->>'status' <> 'active' then
      return 'Produk berhenti dijual';
    end if;
    if (input->>'stock')::int = 0 and (subject->>'stock')::int > 0 then
      return 'Stok menjadi habis';
    end if;
  elsif tool = 'delete_product' then
    return 'Produk dihapus';
  elsif tool = 'create_promo' then
    if input->>'type' = 'percentage' and (input->>'value')::bigint > 50 then
      return 'Promo di atas 50 persen';
    end if;
    -- Without a least purchase a fixed sum may be all of an order.
    if input->>'type' = 'fixed' and (input->>'value')::bigint * 2 > coalesce((input->>'min_purchase')::bigint, 0) then
      return 'Promo bisa melebihi 50 persen belanja';
    end if;
  elsif tool in ('feature_store', 'feature_product') then
    return 'Mengubah sorotan di halaman depan';
  elsif tool = 'draft_instagram_post' and input->>'schedule_at' is not null then
    return 'Akan terbit di Instagram';
  end if;
  return null;
end $$;

-- What a tool makes that acts on nothing that is there. It bears the act's id, so that it can be undone although whoever
-- made it died over it.
create or replace function market_assistant_makes(tool text) returns text language sql immutable as $$
  select case tool when 'create_product' then 'market_product' when 'create_promo' then 'market_promo'
    when 'draft_instagram_post' then 'market_instagram_post' when 'sync_to_marketplace' then 'market_sync_run' end
$$;

-- The fields that a tool sets on its subject, or on what it makes; of a sync and a photo, what was asked for: the run and
-- the photo that come of it bear the act's id.
create or replace function market_assistant_change(tool text, input jsonb) returns jsonb language sql immutable as $$
  select case
    when tool = 'delete_product' then '{"deleted": true}'::jsonb
    when tool in ('feature_store', 'feature_product') then jsonb_build_object('is_featured', input->'featured')
    when tool in ('update_product', 'update_store_info', 'set_store_location', 'sync_to_marketplace',
      'enhance_product_photo') then input - 'product_id'
    when tool = 'create_product' then input
    when tool = 'create_promo' then input - '{starts_at,ends_at,is_active}'::text[]
    when tool = 'draft_instagram_post' then input - 'schedule_at'
  end
$$;

-- market_assistant_propose(input) returns jsonb
-- Keeps what the assistant would do until the user's next message, ten minutes at most, and only while the turn that
-- proposes it holds the session. input: {id, session_id, user_id, turn_id, code, tool, input, summary, before}
create or replace function market_assistant_propose(input jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_variable
begin
  insert into market_assistant_proposals (id, session_id, user_id, code, tool, input, summary, before, expires_at)
  select (input->>'id')::uuid, s.id, s.user_id, input->>'code', input->>'tool', input->'input', input->>'summary',
    nullif(input->'before', 'null'), now() + interval '10 minutes'
  from market_assistant_sessions s
  where s.id = (input->>'session_id')::uuid and s.user_id = (input->>'user_id')::bigint
    and s.turn_id = (input->>'turn_id')::uuid and s.turn_until > now();
  if not found then
    perform app_error('conflict', 'Sesi ini sudah berakhir');
  end if;
  return to_jsonb(true);
end $$;

-- The names of what an input speaks of by its id, for whoever reads what he is asked: products of his own, categories.
create or replace function market_assistant_names(person bigint, input jsonb, subject jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_object_agg(n.id, n.name), '{}') from (
    select p.id, p.name from market_products p join market_stores s on s.id = p.store_id
    where s.user_id = person and (p.id::text = input->>'product_id' or input->'product_ids' ? p.id::text)
    union all
    select c.id, c.name from market_categories c
    where c.id::text in (input->>'category_id', subject->>'category_id')) n
$$;

-- What of a subject the user looked at when he said yes: its name and what is changed, or all of it where it is not
-- said what. Sales may take of a stock meanwhile; who counts it anew changes it. Two proposals about one subject so do
-- not undo each other.
create or replace function market_assistant_shown(tool text, input jsonb, subject jsonb) returns jsonb
language sql immutable as $$
  select jsonb_object_agg(f.key, f.value) from jsonb_each(subject) f
  where f.key <> 'stock' and case
    when f.key = 'stock_counts' then tool = 'update_product' and input ? 'stock'
    when tool in ('update_product', 'update_store_info', 'set_store_location')
      then f.key in ('id', 'kind', 'name') or market_assistant_change(tool, input) ? f.key
    else true end
$$;

-- Uses up a confirmed proposal: once, in time, for exactly what was proposed, of a subject that is as it was then in
-- what the user was shown of it.
create or replace function market_assistant_consume(input jsonb, subject jsonb) returns void language plpgsql as $$
#variable_conflict use_variable
declare
  proposal market_assistant_proposals;
begin
  update market_assistant_proposals p set state = 'done', updated_at = now()
  where p.id = (input->>'proposal_id')::uuid and p.session_id = (input->>'session_id')::uuid
    and p.user_id = (input->>'user_id')::bigint and p.state = 'open' and p.expires_at > now()
    and p.tool = input->>'tool' and p.input = input->'input'
  returning * into proposal;
  if proposal.id is null then
    perform app_error('conflict', 'Konfirmasi sudah tidak berlaku');
  end if;
  if market_assistant_shown(proposal.tool, proposal.input, proposal.before)
    is distinct from market_assistant_shown(proposal.tool, proposal.input, subject) then
    perform app_error('changed', 'Datanya sudah berubah sejak usulan dibuat. Minta asisten mengusulkan lagi.');
  end if;
end $$;

-- The user says no, or the confirmed act failed or was not answered: what is still open is closed, and is never done.
-- input: {ids, user_id}. False: one of them had been used up, or closed, before.
create or replace function market_assistant_cancel(input jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_variable
declare
  closed int;
begin
  update market_assistant_proposals p set state = 'cancelled', updated_at = now()
  where p.id in (select value::uuid from jsonb_array_elements_text(input->'ids'))
    and p.user_id = (input->>'user_id')::bigint and p.state = 'open';
  get diagnostics closed = row_count;
  return to_jsonb(closed = jsonb_array_length(input->'ids'));
end $$;

-- The verb behind the gate refused after its first statement: nothing was done, and the log says so. input: {action_id,
-- user_id, code, actor_kind, actor_id, request_id}
create or replace function market_assistant_failed(input jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_variable
declare
  act market_assistant_actions;
begin
  delete from market_assistant_actions a
  where a.id = (input->>'action_id')::uuid and a.user_id = (input->>'user_id')::bigint returning * into act;
  if act.id is not null then
    perform audit_write(jsonb_build_object('actor_kind', input->'actor_kind', 'actor_id', input->'actor_id',
      'request_id', input->'request_id', 'action', 'market.assistant.' || act.tool, 'outcome', 'refused',
      'subject_kind', coalesce(act.target_kind, 'assistant_action'),
      'subject_id', coalesce(act.target_id, act.id), 'reason', input->>'code'));
  end if;
  return to_jsonb(act.id is not null);
end $$;

-- What an act made as it is: a verb may have chosen more than it was told. input: {action_id, user_id, target_kind, target_id, after}
create or replace function market_assistant_made(input jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_variable
begin
  update market_assistant_actions a set target_kind = input->>'target_kind', target_id = (input->>'target_id')::uuid,
    after = nullif(input->'after', 'null')
  where a.id = (input->>'action_id')::uuid and a.user_id = (input->>'user_id')::bigint;
  return to_jsonb(true);
end $$;
