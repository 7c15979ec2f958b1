-- How the target of an order is known again in the words of the supplier's list.

-- What every spelling of a target has in common: numbers without country code or leading zero, the rest in small letters.
-- Different targets may share it (players 62812… and 812…), so it tells only what cannot be the same.
create or replace function topup_plain_target(target text) returns text language sql immutable as $$
  select case when target ~ '^[+]?[\d .-]+$' then regexp_replace(regexp_replace(target, '\D', '', 'g'), '^(62|0+)', '')
    else lower(btrim(target)) end
$$;

-- A target without what never tells two apart: blanks around it, the case of a host or of an account's name.
create or replace function topup_exact_target(family text, target text) returns text language sql immutable as $$
  select case when family <> 'social' then btrim(target)
    when target ~* '^\s*https?://' then lower(substring(btrim(target) from '^[^/]*//[^/?#]*'))
      || coalesce(substring(btrim(target) from '^[^/]*//[^/?#]*(.*)$'), '')
    else lower(btrim(target)) end
$$;

-- Whether a purchase for this target is for the order's: letter by letter, and a phone number however it is written, where
-- the service took one when it was ordered. As `isSameTarget` of the Worker.
create or replace function topup_is_for(o topup_orders, target text) returns boolean language sql stable as $$
  select case
    when topup_plain_target(topup_is_for.target) is distinct from topup_plain_target(o.target) then false
    when topup_exact_target(o.family, topup_is_for.target) = topup_exact_target(o.family, o.target) then true
    else coalesce(o.target_kind, (select s.target_kind from topup_services s where s.id = o.service_id)) = 'phone' end
$$;

-- Whether the supplier may mean the order's target with this, for which nobody ordered: the same letters and digits with
-- something around them or blacked out, or none that can be compared. What goes on with a letter or digit is another
-- player, number or account; but numbers that prepaid goods are for are written with and without their zeros and country
-- code, whatever kind they are of (e-money and vouchers are for phones too). An account's name may have an `xx` of its
-- own, and a link a `#`.
create or replace function topup_may_mean(o topup_orders, target text) returns boolean language sql immutable as $$
  select t.theirs = ''
    or position(t.mine in t.theirs) > 0 and topup_stands_in(w.word, t.words, w.dialled, o.zone)
    or case when w.word ~ '[*•●…]' or t.mine ~ '^\d+$' and w.word ~ '#|xx' then t.mine like '%' || t.seen
      else position(t.theirs in t.mine) > 0 and topup_stands_in(lower(o.target), t.theirs, w.dialled, null) end
  from (select replace(lower(topup_may_mean.target), '&amp;', '&') as word,
    o.family = 'prepaid' or coalesce(o.target_kind, 'phone') = 'phone' as dialled) w,
  lateral (select topup_bare_target(o.target) as mine, coalesce(topup_bare_target(w.word), '') as theirs,
    case when w.dialled then topup_bare_target(o.target) else topup_word_of(lower(o.target)) end as words,
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(w.word, '^(https?://)?(www[.]|m[.])?', ''),
      '[^[:alnum:]*•●#…]', '', 'g'), '^(62|0+)', ''), '([*•●#…]|xx+)+', '%', 'g') as seen) t
$$;

-- Whether these letters and digits stand in the text, however it divides them, and do not go on there; what is `dialled`
-- may have a country code or zeros, a player's number its zone.
create or replace function topup_stands_in(words text, letters text, dialled boolean, zone text) returns boolean
language sql immutable as $$
  select regexp_replace(stands.words, '^(https?://)?(www[.]|m[.])?', '') ~ case when stands.letters ~ '^\d+$'
    then '(^|\D)' || case when dialled then '(0*62)?0*' else '' end || stands.spread
      || coalesce('(' || nullif(topup_word_of(lower(zone)), '') || ')?', '') || '($|\D)'
    else '(^|[^[:alnum:]_.-])[_.-]*' || stands.spread || '[_.-]*($|[^[:alnum:]_.-])' end
  from (select topup_stands_in.words, topup_stands_in.letters,
    regexp_replace(topup_stands_in.letters, '(.)(?=.)', '\1[^[:alnum:]]*', 'g') as spread) stands
$$;

-- A text without what only divides it.
create or replace function topup_word_of(words text) returns text language sql immutable as $$
  select regexp_replace(regexp_replace(words, '^(https?://)?(www[.]|m[.])?', ''), '[^[:alnum:]]', '', 'g')
$$;

create or replace function topup_bare_target(target text) returns text language sql immutable as $$
  select topup_word_of(topup_plain_target(target))
$$;
