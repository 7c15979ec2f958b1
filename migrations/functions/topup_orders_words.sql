-- How the target of an order is known again in the words of the supplier's list: as it is (topup_is_for), or perhaps
-- (topup_may_mean). Of the latter a wrong no refunds what was bought, and a wrong yes makes at worst a tie or takes a
-- purchase made past us, so only what plainly is another's is a no: complete letters or digits that are not the order's,
-- what is left of blacked out ones where it does not fit, and another's zone.

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

-- Whether the supplier may mean the order's target with this, for which nobody ordered: with words around it, blacked out,
-- or nothing that can be compared. A zone that is told with it must be the order's, but for zeros before it, so the
-- caller need not look for one in there. Numbers that prepaid goods are for are written with and without zeros and country code, whatever kind they are of
-- (e-money and vouchers are for phones too); a player's or an account's number is as it is.
create or replace function topup_may_mean(o topup_orders, target text) returns boolean language plpgsql immutable as $$
declare
  words text := topup_plain_words(coalesce(topup_may_mean.target, ''));
  mine text := topup_plain_words(o.target);
  zone text := nullif(regexp_replace(topup_plain_zone(o.zone), '[^[:alnum:]]', '', 'g'), '');
begin
  if words !~ '[[:alnum:]]' then
    return true;
  elsif mine ~ '^[+]?[\d .-]*\d[\d .-]*$' then
    return topup_means_number(words, regexp_replace(mine, '\D', '', 'g'),
      zone is null and (o.family = 'prepaid' or coalesce(o.target_kind, 'phone') = 'phone'), zone);
  end if;
  return topup_means_name(words, mine, zone, case when o.family = 'social' then topup_known_account(words, o.target) end)
    or o.family = 'social' and topup_is_same_link(words, topup_may_mean.target, o.target);
end $$;

-- A text in small letters and digits that are typed, without what is not seen. Whatever signs black out are `*`.
create or replace function topup_plain_words(words text) returns text language plpgsql immutable as $$
begin
  if words !~ '[^ -~]|&' then
    return lower(btrim(words));
  end if;
  words := regexp_replace(words, '&(amp;)+', '&', 'gi');
  words := regexp_replace(words, '&(#0*(42|183|8226|8230|9679)|#x0*(2a|b7|2022|2026|25cf)|ast|middot|bull|hellip);', '*', 'gi');
  words := regexp_replace(words, '&(#0*47|#x0*2f|sol);', '/', 'gi');
  words := regexp_replace(words, '&(#\d+|#x[\da-f]+|[a-z]+);', ' ', 'gi');
  words := regexp_replace(words,
    '[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]', '', 'g');
  words := translate(words, '•·…‥⋯●○◦∙⋅・･‧⁎∗✱✲✳★☆■□▪▫█▓▒░◼◻⬤⚫⚪◉×✕✖❌', repeat('*', 38));
  words := translate(normalize(words, nfkc), '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹‐‒–—―−', '01234567890123456789------');
  return lower(btrim(regexp_replace(words, '\s+', ' ', 'g')));
end $$;

-- Whether these words may be for this number: it stands there, however it is divided, with its zone or none, and does not
-- go on; or there is a number, in part blacked out, that fits. What is `dialled` may have country codes or zeros.
create or replace function topup_means_number(words text, digits text, dialled boolean, zone text) returns boolean
language plpgsql immutable as $$
declare
  bare text := case when dialled then coalesce(nullif(regexp_replace(digits, '^(62|0+)', ''), ''), digits) else digits end;
  complete text;
begin
  if position(bare in regexp_replace(words, '\D', '', 'g')) > 0 then
    complete := '(^|\D)' || case when dialled then '(?:0*62)*0*' else '' end
      || regexp_replace(bare, '(.)(?=.)', '\1[^[:alnum:]]*', 'g');
    if zone is not null and words ~ (complete || '[^[:alnum:]]*0*' || zone || '($|\D)') then
      return true;
    elsif words ~ (complete || '($|\D)') then
      return not topup_tells_other_zone(regexp_replace(words, complete || '($|\D)', '\1§\2'), zone);
    end if;
  end if;
  return words ~ '[*x]|[.#_~?=-]{2}' and topup_fits_number(words, case when not dialled then
      array[digits, digits || zone, digits || '0' || zone] else (select array_agg(p || bare) || digits
        from unnest(array['', '0', '62', '620', '062', '0062', '00620', '6262']) p) end, dialled, zone);
end $$;

-- Whether a number of the text, in part blacked out, is one of these spellings.
create or replace function topup_fits_number(words text, spellings text[], dialled boolean, zone text) returns boolean
language plpgsql immutable as $$
declare
  -- Beside digits a run of nearly anything blacks out. A supplier may write as much as he likes; each way to join it is tried.
  hidden text := regexp_replace(regexp_replace(regexp_replace(left(words, 200),
    '[.]{2,}|-{2,}|#{2,}|_{2,}|~{2,}|[?]{2,}|={2,}', '**', 'g'),
    '(?<=[\d*])x+(?=[\d*])|(?<![[:alpha:]])x{2,}(?![[:alpha:]])', '**', 'g'), '[[({]([*]+)[])}]', '\1', 'g');
  -- What goes on behind a blank or a bracket is the same phone's; of players, other words.
  cuts text[] := case when dialled then array['[^\d*+ .()-]+']
    when hidden ~ '[*] +\d|\d +[*]' then array['[^\d* .-]+', '[^\d*.-]+'] else array['[^\d* .-]+'] end;
  cut text;
  part text;
begin
  if hidden !~ '[*]' then
    return false;
  elsif hidden !~ '\d' or zone is not null and regexp_replace(hidden, '(^|\D)0*' || zone || '($|\D)', '\1\2') !~ '\d' then
    return hidden ~ '(^|[^[:alpha:]*])[*]{2,}($|[^[:alpha:]*])';
  end if;
  foreach cut in array cuts loop
    foreach part in array regexp_split_to_array(regexp_replace(hidden, '([*][ .-]*)[(]', '\1[', 'g'), cut) loop
      if part ~ '[*]' and part ~ '\d' and topup_fits_pieces(hidden, part, spellings, zone) then
        return true;
      end if;
    end loop;
  end loop;
  return false;
end $$;

-- Numbers are divided as one likes, but at what is blacked out they go on.
create or replace function topup_fits_pieces(words text, part text, spellings text[], zone text) returns boolean
language plpgsql immutable as $$
declare
  pieces text[] := regexp_split_to_array(btrim(regexp_replace(part, '[+ .()-]*[*][*+ .()-]*', '*', 'g'), '+ .()-'),
    '[+ .()-]+');
begin
  for i in 1 .. cardinality(pieces) loop
    for j in i .. cardinality(pieces) loop
      if topup_fits_any(array_to_string(pieces[i:j], ''), spellings)
        and not topup_tells_other_zone(replace(words, part, concat_ws(' ', '',
          array_to_string(pieces[:i - 1], ' '), '§', array_to_string(pieces[j + 1:], ' '), '')), zone) then
        return true;
      end if;
    end loop;
  end loop;
  return false;
end $$;

-- Whether a text, in part blacked out, is one of these. As much as is hidden may be shown, and nothing may be: of a short
-- text "the first four and the last four" are all of it, or more.
create or replace function topup_fits_any(hidden text, spellings text[]) returns boolean language plpgsql immutable as $$
declare
  head text := split_part(hidden, '*', 1);
  tail text := split_part(hidden, '*', -1);
  pattern text;
  spelling text;
begin
  if head = hidden then
    return hidden = any (spellings);
  elsif btrim(substr(hidden, length(head) + 1, length(hidden) - length(head) - length(tail)), '*') <> '' then
    pattern := replace(replace(replace(replace(hidden, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%');
  end if;
  foreach spelling in array spellings loop
    if starts_with(spelling, head) and right(spelling, length(tail)) = tail
      and (pattern is null or spelling like pattern) then
      return true;
    end if;
  end loop;
  return false;
end $$;

-- Whether what stands around a target (`§`) tells a zone, by its place or its name, and not the order's. Only numbers tell
-- that: a server's name is written in many ways.
create or replace function topup_tells_other_zone(words text, zone text) returns boolean language plpgsql immutable as $$
declare
  told text;
begin
  if zone is null or zone !~ '^\d+$' or words ~ ('(^|\D)0*' || zone || '($|\D)') or words !~ '\d' then
    return false;
  end if;
  told := coalesce(substring(words from '§[^[:alnum:]([{<]*[([{<]\s*([\d*]+)\s*[])}>]'),
    substring(words from '§[^[:alnum:]]+(\d[\d*]+)\s*(?:$|[^[:alnum:]\s])'),
    substring(words from '\m(?:zone|zona|server|srv)(?:\s?id)?[^[:alnum:]*]*([\d*]*\d[\d*]*)'));
  return told is not null and not topup_fits_any(ltrim(told, '0'), array[zone]);
end $$;

-- Whether these words may be for what is no number: the same letters and digits, or a part of them that is set off (of an
-- address the account), or a word that is in part blacked out and fits. An account's name may have an `xx` of its own, and
-- a link a `#`. `account`: as what it is known else.
create or replace function topup_means_name(words text, mine text, zone text, account text) returns boolean
language plpgsql immutable as $$
declare
  theirs text := topup_word_of(words);
  letters text;
begin
  foreach letters in array array[topup_word_of(mine), topup_word_of(account)] loop
    if position(nullif(letters, '') in theirs) > 0 and words ~ topup_standing(letters) then
      return not topup_tells_other_zone(regexp_replace(words, topup_standing(letters), '\1§\2'), zone);
    end if;
  end loop;
  return theirs <> '' and position(theirs in topup_word_of(mine)) > 0 and mine ~ topup_standing(theirs)
    -- What is cut off at the end of a column.
    or length(words) >= 40 and starts_with(mine, words)
    or words ~ '[*]|[.]{2}' and topup_hides_any(words, array[topup_bare_link(mine), account], account !~ '/', zone);
end $$;

-- The order's link as topup_like_target has it, where that may help: the name of its account or post is in the words, or
-- they are in part blacked out.
create or replace function topup_known_account(words text, link text) returns text language plpgsql immutable as $$
begin
  if link !~ '/' then
    return lower(ltrim(btrim(link), '@'));
  elsif words ~ '[*]|[.]{2}' or position(topup_link_key(link) in words) > 0 then
    return lower(topup_like_target('social', btrim(link)));
  end if;
  return null;
end $$;

create or replace function topup_is_same_link(words text, theirs text, mine text) returns boolean
language plpgsql immutable as $$
begin
  return words ~ '/' and position(topup_link_key(mine) in words) > 0
    and lower(topup_like_target('social', btrim(theirs))) = lower(topup_like_target('social', btrim(mine)));
end $$;

create or replace function topup_link_key(link text) returns text language sql immutable as $$
  select lower(coalesce(substring(link from '[?&]v=([\w-]+)'), substring(link from '([^/@?#]+)/*(?:[?#].*)?$')))
$$;

-- Whether a word that is in part blacked out is one of these spellings; of an account (`named`) also
-- behind a host.
create or replace function topup_hides_any(words text, spellings text[], named boolean, zone text) returns boolean
language plpgsql immutable as $$
declare
  hidden text := case when spellings[1] ~ '[.]{2}' then words else regexp_replace(words, '[.]{2,}', '**', 'g') end;
  part text;
  path text;
begin
  if hidden !~ '[*]' then
    return false;
  end if;
  foreach part in array regexp_split_to_array(hidden,
    case when spellings[1] ~ ' ' then '[][(){}<>"|,;]+' else '[][\s(){}<>"''|,;]+|:(?!//)' end)
  loop
    continue when part !~ '[*]' or part !~ '[[:alnum:]]';
    part := topup_bare_link(btrim(part));
    path := case when part ~ '/' then regexp_replace(part, '[?#].*$', '') else part end;
    if (topup_fits_any(part, spellings) or path <> part and topup_fits_any(path, spellings)
        or named and topup_fits_any(regexp_replace(path, '^[^/]*[.*][^/]*/@?', ''), spellings))
      and not topup_tells_other_zone(replace(hidden, part, '§'), zone) then
      return true;
    end if;
  end loop;
  return false;
end $$;

create or replace function topup_bare_link(link text) returns text language sql immutable as $$
  select rtrim(regexp_replace(link, '^(https?://)?(www[.]|m[.]|mobile[.])?@?', ''), '/')
$$;

-- A text without what only divides it.
create or replace function topup_word_of(words text) returns text language sql immutable as $$
  select regexp_replace(regexp_replace(words, '^(https?://)?(www[.]|m[.]|mobile[.])?', ''), '[^[:alnum:]]', '', 'g')
$$;

-- Where these letters and digits stand in a text, however it divides them, and do not go on there.
create or replace function topup_standing(letters text) returns text language sql immutable as $$
  select '((?:^|https?://)(?:www[.]|m[.]|mobile[.])?|[^[:alnum:]_.-])[_.-]*' || regexp_replace(letters, '(.)(?=.)', '\1[^[:alnum:]]*', 'g')
    || '[_.-]*($|[^[:alnum:]_.-])'
$$;
