-- On which platform a social service is delivered, and which links lead there. Guarantee: a link that surely leads elsewhere
-- is refused before anything is paid. What cannot be judged is taken: the supplier will find out.

-- The platforms by how a service's brand or name calls them, and the hosts of their links, subdomains included; `*` is any
-- country's domain. The first host is the one that a buyer is told.
create or replace function topup_platforms() returns table (platform text, called text, hosts text)
language sql immutable as $$
  values
    ('Instagram', '\minstagram|\m(insta|ig|igtv)\M', 'instagram.com instagr.am ig.me'),
    -- Its shop's products are shared as links of Tokopedia, which it runs in Indonesia.
    ('TikTok', '\mtik[ -]?tok', 'tiktok.com tiktokv.com tiktok.app.link vt.tokopedia.com shop-id.tokopedia.com'),
    ('YouTube', '\myou[ -]?tube|\myt\M', 'youtube.com youtu.be youtube-nocookie.com yt.be'),
    ('Facebook', '\mface[ -]?book|\mfb\M', 'facebook.com fb.com fb.watch fb.me fb.gg facebook.app.link m.me messenger.com'),
    ('X', '\mtwitter|\m(re)?tweet|\mx[.]com|^\W*x(\s|[/|(]|$)', 'x.com twitter.com t.co twttr.com'),
    ('Threads', '\mthreads\M', 'threads.com threads.net'),
    ('Telegram', '\mtelegram', 't.me telegram.me telegram.dog telegram.org tx.me telegram.im telesco.pe telegra.ph graph.org'),
    ('Spotify', '\mspotify', 'spotify.com spotify.link spoti.fi spotify.app.link tospotify.com anchor.fm'),
    ('SoundCloud', '\msound[ -]?cloud', 'soundcloud.com snd.sc soundcloud.app.link'),
    ('Shopee', '\mshopee', 'shopee.co.id shopee.* shopee.app.link shp.ee shope.ee'),
    ('Tokopedia', '\mtokopedia|\mtokped\M', 'tokopedia.com tokopedia.link tokopedia.app.link tkp.me'),
    ('LinkedIn', '\mlinked[ -]?in\M', 'linkedin.com lnkd.in'),
    ('Discord', '\mdiscord', 'discord.com discord.gg discordapp.com discord.new discord.me dsc.gg'),
    ('Twitch', '\mtwitch', 'twitch.tv'),
    ('WhatsApp', '\mwhats[ -]?app', 'whatsapp.com wa.me wa.link'),
    ('Pinterest', '\mpinterest', 'pinterest.com pinterest.* pin.it'),
    ('Snapchat', '\msnap[ -]?chat', 'snapchat.com snapchat.app.link'),
    ('Likee', '\mlikee\M', 'likee.video likee.com likee.app like.video'),
    ('Kwai', '\mkwai\M', 'kwai.com kwai-video.com kw.ai'),
    ('SnackVideo', '\msnack[ -]?video', 'snackvideo.com snackvideo.in sck.io'),
    -- By itself the word is also advertising, search and accounts.
    ('Google', '\mgoogle[ -]*(my[ -]?)?(maps?|reviews?|ulasan|business|bisnis|place|local|play)|\m(reviews?|ulasan) google|\mgmaps?\M',
      'google.com google.* share.google search.app g.page g.co business.site'),
    ('Bigo', '\mbigo\M', 'bigo.tv bigo.sg bigo.live bigovideo.tv'),
    ('Clubhouse', '\mclub[ -]?house', 'clubhouse.com joinclubhouse.com')
$$;

-- Hosts whose links lead anywhere: shorteners, and pages of links.
create or replace function topup_open_hosts() returns text language sql immutable as $$
  select 'bit.ly j.mp bitly.com s.id tinyurl.com tiny.cc tiny.one cutt.ly goo.gl rebrand.ly is.gd v.gd bit.do shorturl.at '
    || 'shorturl.asia ow.ly t.ly rb.gy buff.ly dlvr.it soo.gd urlz.fr short.gy adf.ly gg.gg snip.ly shorturl.gg linktr.ee lnk.bio lynk.id linkin.bio '
    || 'bio.link bio.site beacons.ai taplink.cc heylink.me msha.ke solo.to campsite.bio carrd.co lnk.to ffm.to smarturl.it'
$$;

-- The one platform that a service is for, with its hosts; none where no or several are named, and of what brings visitors to
-- a website. The brand says it, which is the supplier's category; the name only where the brand is silent.
create or replace function topup_platform_of(brand text, name text, out platform text, out hosts text)
language plpgsql immutable as $$
declare
  website constant text := 'traffic|\mweb[ -]?sites?\M|\mseo\M|back ?link|social signals?|\murl\M';
  words text;
  named int;
begin
  if normalize(brand || ' ' || name, nfkc) ~* website then
    return;
  end if;
  foreach words in array array[normalize(brand, nfkc), normalize(name, nfkc)] loop
    select count(*), min(p.platform), min(p.hosts) into named, platform, hosts
    from topup_platforms() p where words ~* p.called;
    if named > 1 then
      platform := null;
      hosts := null;
    end if;
    exit when named > 0;
  end loop;
end $$;

-- Where a target leads to that topup_require_target takes as a link, or null: a user's name may have a dot in it, so without
-- a scheme only what begins like a website's address is one.
create or replace function topup_link_host(target text) returns text language sql immutable as $$
  select lower(coalesce(substring(target from '^[Hh][Tt][Tt][Pp][Ss]?://([^/:?#]+)'),
    substring(target from '^([Ww][Ww][Ww][.].+[.][A-Za-z]{2,})$')))
$$;

-- Whether a host is one of these, or a subdomain of one.
create or replace function topup_is_host_of(host text, hosts text) returns boolean language sql immutable as $$
  select host ~ ('^(.+[.])?(' || replace(replace(replace(hosts, '.', '[.]'), '*', '(com|co|[a-z]{2}|com?[.][a-z]{2})'),
    ' ', '|') || ')$')
$$;

-- Refuses a link that does not lead to the service's platform.
create or replace function topup_require_platform(s topup_services, target text) returns void language plpgsql as $$
declare
  host text := topup_link_host(target);
  wanted record;
begin
  if host is null or topup_is_host_of(host, topup_open_hosts()) then
    return;
  end if;
  wanted := topup_platform_of(s.brand, s.name);
  if wanted.platform is not null and not topup_is_host_of(host, wanted.hosts) then
    perform app_error('invalid_input', 'Target must be a link or a username on ' || wanted.platform
      || ' (' || split_part(wanted.hosts, ' ', 1) || ')');
  end if;
end $$;
