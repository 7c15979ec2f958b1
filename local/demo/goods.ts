/** The shop that `npm run dev` shows a newcomer. Pictures are drawn for this project. */
export const STORE = {
  name: "Kopi Kelud",
  slug: "kopi-kelud",
  description:
    "Kopi, teh, dan camilan dari lereng Gunung Kelud. Disangrai setiap Senin dan Kamis, dikirim segar ke seluruh Indonesia.",
  address: "Jl. Kelud No. 8, Kepanjenkidul",
  city: "Blitar",
  province: "Jawa Timur",
  postal_code: "66117",
  phone: "081330001234",
  instagram_handle: "kopikelud.contoh",
};

export const PRODUCTS = [
  { name: "Kopi Robusta Kelud 250 g", price: 48_000, stock: 40, weight_gram: 280, picture: "kopi.jpg", category: "makanan-minuman", description: "Robusta petik merah dari lereng Kelud, sangrai sedang. Rasa cokelat pahit dan kacang.\n\nBiji utuh atau giling halus; tulis di catatan pesanan." },
  { name: "Teh Hijau Sirah Kencong 100 g", price: 32_000, stock: 25, weight_gram: 130, picture: "teh.jpg", category: "makanan-minuman", description: "Daun teh hijau dari kebun Sirah Kencong, dipetik pagi." },
  { name: "Gula Kelapa Organik 500 g", price: 27_500, stock: 60, weight_gram: 550, picture: "gula.jpg", category: "makanan-minuman", description: "Gula kelapa cetak tanpa pengawet, manis karamel." },
  { name: "Madu Randu 350 ml", price: 85_000, stock: 12, weight_gram: 620, picture: "madu.jpg", category: "makanan-minuman", description: "Madu bunga randu, tidak dipanaskan." },
  { name: "Sambal Pecel Blitar 200 g", price: 24_000, stock: 80, weight_gram: 230, picture: "sambal.jpg", category: "makanan-minuman", description: "Bumbu pecel khas Blitar, pedas sedang. Tinggal seduh air hangat." },
  { name: "Keripik Nangka 150 g", price: 21_000, stock: 3, weight_gram: 190, picture: "keripik.jpg", category: "makanan-minuman", description: "Nangka matang digoreng vakum, renyah tanpa gula tambahan." },
  { name: "Cangkir Tanah Liat", price: 55_000, stock: 9, weight_gram: 450, picture: "cangkir.jpg", category: "rumah-tangga", description: "Cangkir 200 ml buatan perajin setempat. Setiap cangkir sedikit berbeda." },
  { name: "Paket Hampers Kelud", price: 175_000, stock: 0, weight_gram: 1500, picture: "hampers.jpg", category: "makanan-minuman", description: "Kopi, teh, madu, dan keripik dalam kotak anyaman." },
];
