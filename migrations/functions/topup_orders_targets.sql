-- What can be ordered of a service, and for whom. A target is refused, never mended (but for the country code of a phone).

create or replace function topup_require_quantity(s topup_services, wanted int) returns void language plpgsql as $$
declare
  -- The supplier takes one item an order, but of social services.
  most int := case when s.family = 'social' then s.max_quantity else 1 end;
begin
  -- The greatest int stands for whatever is beyond.
  if wanted > most or wanted = 2147483647 then
    perform app_error('invalid_input', 'Maximum order quantity is ' || most);
  end if;
  if s.family = 'social' and wanted < s.min_quantity then
    perform app_error('invalid_input', 'Minimum order quantity is ' || s.min_quantity);
  end if;
end $$;

-- Two targets with the same result are one and the same, as far as a repeat by mistake goes: the many spellings of an
-- account by its name, and of an address without the marks of where it was copied. The rest of a path keeps its letters:
-- they tell one post from another.
create or replace function topup_like_target(family text, target text) returns text language plpgsql immutable as $$
declare
  named text := lower((regexp_match(target, '^https?://(?:www[.]|m[.]|mobile[.]|music[.])?([^/?#:]+)', 'i'))[1]);
  host text := case named when 'twitter.com' then 'x.com' when 'threads.com' then 'threads.net'
    when 'instagr.am' then 'instagram.com' else named end;
  path text := regexp_replace(target, '^https?://[^/?#]*/*', '', 'i');
  video text := case host when 'youtu.be' then (regexp_match(path, '^([\w-]{6,})'))[1]
    when 'youtube.com' then coalesce((regexp_match(path, '^(?:shorts|live|embed|v)/([\w-]{6,})'))[1],
      (regexp_match(path, '^watch/?[?](?:[^#]*&)?v=([\w-]{6,})'))[1]) end;
  -- A post and its view as a reel, with the account's name before it or not.
  post text := case host when 'instagram.com'
    then (regexp_match(path, '^(?:[^/?#]+/)?(?:p|reel|reels|tv)/([\w-]+)'))[1] end;
begin
  if family <> 'social' then
    return target;
  elsif video is not null then
    return 'youtube.com/watch/' || video;
  elsif post is not null then
    return 'instagram.com/p/' || post;
  elsif host is null then
    return lower(ltrim(target, '@'));
  elsif host = 'youtube.com' and path ~ '^@' then
    return lower(substring(path from '^@([^/?#]*)'));
  elsif host not in ('instagram.com', 'tiktok.com', 'threads.net', 'x.com') then
    return host || '/' || rtrim(path, '/');
  end if;
  path := rtrim(regexp_replace(path, '[?#].*$', ''), '/');
  return case when path ~ '^@?[^/]+$' then lower(ltrim(path, '@')) else host || '/' || path end;
end $$;

-- What a buyer wishes to be delivered to, as far as asking him goes whether he means it twice: beyond topup_like_target,
-- by which purchases are told apart, also the spellings of a player's name or number, and what only says where a link was
-- copied. The service tells the platform.
create or replace function topup_wished_target(family text, target text) returns text language plpgsql immutable as $$
declare
  link text := topup_like_target(family, target);
  -- The number of a post, whatever account's name stands before it.
  post text := (regexp_match(link, '^(?:tiktok|x)[.]com/(?:.*/)?(?:video|photo|status)/(\d+)'))[1];
begin
  if family = 'game' then
    return ltrim(lower(regexp_replace(target, '\s', '', 'g')), '0');
  elsif family <> 'social' then
    return target;
  elsif post is not null then
    return '/' || post;
  elsif link !~ '/' then
    return link;
  end if;
  link := regexp_replace(link, '#.*$', '');
  link := regexp_replace(link, '(?<=[?&])(?:si|igshi?d?|mibextid|fbclid|rdid|share_url|utm_[a-z]+)=[^&]*&?', '', 'g');
  link := regexp_replace(link, '/*[?&]*$', '');
  link := regexp_replace(link, '^(?:(?:web|[a-z]{2}-[a-z]{2})[.]facebook|fb)[.]com/', 'facebook.com/');
  link := regexp_replace(link, '^telegram[.](?:me|dog)/', 't.me/');
  link := regexp_replace(link, '^open[.]spotify[.]com/intl-[a-z]+/', 'open.spotify.com/');
  -- An account by its name; what begins with "+" is an invitation, whose letters tell it from others.
  return coalesce(lower((regexp_match(link, '^(?:facebook[.]com|t[.]me)/@?([\w.-]+)$'))[1]), link);
end $$;

-- A zone as it is compared then: a server's name in whatever letters, a number with whatever zeros.
create or replace function topup_wished_zone(zone text) returns text language sql immutable as $$
  select ltrim(lower(regexp_replace(zone, '[ _.:-]', '', 'g')), '0')
$$;

-- Whether the service can be delivered to such a target at all; what it does not find out, the supplier will.
create or replace function topup_require_target(s topup_services, target text, zone text)
returns void language plpgsql as $$
declare
  prefixes text := topup_operator_prefixes(s.brand);
  player record := topup_player_patterns(s.brand);
begin
  case s.target_kind
    when 'phone' then
      if target !~ '^08[1-9]\d{7,10}$' then
        perform app_error('invalid_input', 'Phone number is not valid');
      end if;
      if target !~ prefixes then
        perform app_error('invalid_input', 'Phone number is not a number of ' || s.brand);
      end if;
    when 'pln_meter' then
      if target !~ '^\d{11,12}$' then
        perform app_error('invalid_input', 'Meter or customer number must be 11 or 12 digits');
      end if;
    when 'customer_number' then
      if target !~ '^\d{6,20}$' then
        perform app_error('invalid_input', 'Customer number is not valid');
      end if;
    when 'game_id' then
      if target !~ '^[^[:cntrl:][:space:]]([^[:cntrl:]]{0,98}[^[:cntrl:][:space:]])?$' then
        perform app_error('invalid_input', 'Game ID is not valid');
      end if;
      if target !~ player.id then
        perform app_error('invalid_input', 'Game ID is not an ID of ' || s.brand);
      end if;
    when 'link' then
      if target !~* '^(https?://[A-Za-z0-9.-]+\.[A-Za-z]{2,}(:\d+)?(/[^[:space:]]*)?|@?[A-Za-z0-9._-]{1,100})$' then
        perform app_error('invalid_input', 'Target must be a link or a username');
      end if;
      perform topup_require_platform(s, target);
  end case;
  if s.needs_zone and coalesce(zone, '') = '' then
    perform app_error('invalid_input', 'Zone is required for this service');
  end if;
  -- Games that are not known to need one get what is given all the same.
  if s.family = 'game' and zone <> '' and zone !~ player.zone then
    perform app_error('invalid_input', 'Zone is not a zone of ' || s.brand);
  end if;
end $$;

-- The numbers of an operator by their first digits, as one pattern; any number where the brand is none of them. Its first
-- word tells which: the rest may say more ("XL AXIATA", "INDOSAT OOREDOO", "3 (TRI)").
create or replace function topup_operator_prefixes(brand text) returns text language sql immutable as $$
  select case (regexp_match(upper(replace(brand, '.', '')), '[A-Z0-9]+'))[1]
    when 'TELKOMSEL' then '^08(1[123]|2[123]|5[123])'
    when 'BYU' then '^0851'
    when 'BY' then '^0851'
    when 'INDOSAT' then '^08(1[456]|5[5678])'
    when 'IM3' then '^08(1[456]|5[5678])'
    when 'XL' then '^08(1[789]|59|7[4-9])'
    when 'AXIS' then '^083[1238]'
    when 'TRI' then '^089[5-9]'
    when 'THREE' then '^089[5-9]'
    when '3' then '^089[5-9]'
    when 'SMARTFREN' then '^088[1-9]'
    else '^08'
  end
$$;

-- What a player's id and zone look like in a game, as far as it is known; of any other game something plain, in one word
-- where it is a zone.
create or replace function topup_player_patterns(brand text, out id text, out zone text) language sql immutable as $$
  select case
      when brand ~* '^(mobile legends|magic chess|free fire|pubg|genshin|honkai|zenless|wuthering|call of duty|arena of valor)'
        then '^\d{4,20}$'
      when brand ~* '^valorant' then '^[^#]{3,16}#[^#[:space:]]{3,5}$'
      else '.' end,
    case when brand ~* '^(mobile legends|magic chess)' then '^\d{3,6}$' else '^[[:alnum:]][[:alnum:] _.:-]*$' end
$$;
