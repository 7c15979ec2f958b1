-- The categories that every market starts with. Repeatable: what is there stays as the operator left it.
insert into market_categories (name, slug) values
  ('Makanan & Minuman', 'makanan-minuman'),
  ('Oleh-oleh & Camilan', 'oleh-oleh-camilan'),
  ('Fashion Wanita', 'fashion-wanita'),
  ('Fashion Pria', 'fashion-pria'),
  ('Fashion Anak & Bayi', 'fashion-anak-bayi'),
  ('Kecantikan & Perawatan', 'kecantikan-perawatan'),
  ('Kesehatan', 'kesehatan'),
  ('Rumah Tangga', 'rumah-tangga'),
  ('Elektronik', 'elektronik'),
  ('Kerajinan & Seni', 'kerajinan-seni'),
  ('Pertanian & Hewan', 'pertanian-hewan'),
  ('Otomotif', 'otomotif'),
  ('Hobi & Olahraga', 'hobi-olahraga'),
  ('Buku & Alat Tulis', 'buku-alat-tulis')
on conflict (slug) do nothing;
