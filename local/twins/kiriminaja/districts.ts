/** One district: its own id, the ids of its city and province, names, island group and post code. */
export interface District {
  id: number;
  name: string;
  cityId: number;
  city: string;
  provinceId: number;
  province: string;
  island: string;
  zipcode: string;
}

interface City {
  city: string;
  province: string;
  island: string;
  districts: string[];
}

/** `name:post code`, real districts; the ids are the twin's own. */
const cities: City[] = [
  {
    city: "Kota Blitar",
    province: "Jawa Timur",
    island: "Jawa",
    districts: ["Kepanjenkidul:66112", "Sananwetan:66133", "Sukorejo:66121"],
  },
  {
    city: "Kabupaten Blitar",
    province: "Jawa Timur",
    island: "Jawa",
    districts: [
      "Kanigoro:66171",
      "Wlingi:66184",
      "Srengat:66152",
      "Talun:66183",
      "Garum:66182",
      "Sutojayan:66172",
      "Ponggok:66153",
      "Nglegok:66181",
      "Kesamben:66191",
      "Gandusari:66187",
    ],
  },
  {
    city: "Kota Malang",
    province: "Jawa Timur",
    island: "Jawa",
    districts: ["Lowokwaru:65141", "Klojen:65111", "Blimbing:65126"],
  },
  {
    city: "Kota Kediri",
    province: "Jawa Timur",
    island: "Jawa",
    districts: ["Mojoroto:64112", "Pesantren:64131"],
  },
  {
    city: "Kabupaten Tulungagung",
    province: "Jawa Timur",
    island: "Jawa",
    districts: ["Tulungagung:66211", "Kedungwaru:66221"],
  },
  {
    city: "Kota Surabaya",
    province: "Jawa Timur",
    island: "Jawa",
    districts: [
      "Gubeng:60281",
      "Wonokromo:60241",
      "Tegalsari:60261",
      "Rungkut:60293",
      "Sukolilo:60111",
    ],
  },
  {
    city: "Kabupaten Sidoarjo",
    province: "Jawa Timur",
    island: "Jawa",
    districts: ["Waru:61256", "Sidoarjo:61211"],
  },
  {
    city: "Jakarta Selatan",
    province: "DKI Jakarta",
    island: "Jawa",
    districts: ["Kebayoran Baru:12110", "Tebet:12810", "Cilandak:12430", "Setiabudi:12910"],
  },
  {
    city: "Jakarta Pusat",
    province: "DKI Jakarta",
    island: "Jawa",
    districts: ["Menteng:10310", "Gambir:10110", "Tanah Abang:10210"],
  },
  {
    city: "Jakarta Barat",
    province: "DKI Jakarta",
    island: "Jawa",
    districts: ["Kebon Jeruk:11530", "Palmerah:11480"],
  },
  {
    city: "Kota Bandung",
    province: "Jawa Barat",
    island: "Jawa",
    districts: ["Coblong:40132", "Cicendo:40171", "Lengkong:40261", "Sukajadi:40162"],
  },
  {
    city: "Kota Bogor",
    province: "Jawa Barat",
    island: "Jawa",
    districts: ["Bogor Tengah:16121", "Tanah Sareal:16161"],
  },
  {
    city: "Kota Bekasi",
    province: "Jawa Barat",
    island: "Jawa",
    districts: ["Bekasi Selatan:17141"],
  },
  {
    city: "Kota Yogyakarta",
    province: "DI Yogyakarta",
    island: "Jawa",
    districts: ["Gondokusuman:55221", "Umbulharjo:55161", "Danurejan:55211"],
  },
  {
    city: "Kabupaten Sleman",
    province: "DI Yogyakarta",
    island: "Jawa",
    districts: ["Depok:55281", "Ngaglik:55581"],
  },
  {
    city: "Kota Semarang",
    province: "Jawa Tengah",
    island: "Jawa",
    districts: ["Semarang Tengah:50131", "Banyumanik:50261"],
  },
  {
    city: "Kota Surakarta",
    province: "Jawa Tengah",
    island: "Jawa",
    districts: ["Laweyan:57141", "Banjarsari:57131"],
  },
  {
    city: "Kota Denpasar",
    province: "Bali",
    island: "Bali Nusa Tenggara",
    districts: ["Denpasar Selatan:80221", "Denpasar Barat:80111", "Denpasar Utara:80115"],
  },
  {
    city: "Kabupaten Badung",
    province: "Bali",
    island: "Bali Nusa Tenggara",
    districts: ["Kuta:80361"],
  },
  {
    city: "Kota Mataram",
    province: "Nusa Tenggara Barat",
    island: "Bali Nusa Tenggara",
    districts: ["Mataram:83126"],
  },
  {
    city: "Kota Medan",
    province: "Sumatera Utara",
    island: "Sumatera",
    districts: ["Medan Kota:20212", "Medan Baru:20153"],
  },
  {
    city: "Kota Palembang",
    province: "Sumatera Selatan",
    island: "Sumatera",
    districts: ["Ilir Timur I:30111"],
  },
  {
    city: "Kota Padang",
    province: "Sumatera Barat",
    island: "Sumatera",
    districts: ["Padang Barat:25112"],
  },
  {
    city: "Kota Makassar",
    province: "Sulawesi Selatan",
    island: "Sulawesi",
    districts: ["Panakkukang:90231", "Rappocini:90222"],
  },
  {
    city: "Kota Manado",
    province: "Sulawesi Utara",
    island: "Sulawesi",
    districts: ["Wenang:95111"],
  },
  {
    city: "Kota Balikpapan",
    province: "Kalimantan Timur",
    island: "Kalimantan",
    districts: ["Balikpapan Kota:76111"],
  },
  {
    city: "Kota Banjarmasin",
    province: "Kalimantan Selatan",
    island: "Kalimantan",
    districts: ["Banjarmasin Tengah:70111"],
  },
  { city: "Kota Jayapura", province: "Papua", island: "Papua", districts: ["Abepura:99351"] },
];

function build(): District[] {
  const provinces: string[] = [];
  const list: District[] = [];
  cities.forEach((entry, cityIndex) => {
    if (!provinces.includes(entry.province)) provinces.push(entry.province);
    entry.districts.forEach((text, index) => {
      const [name = "", zipcode = ""] = text.split(":");
      list.push({
        id: 1000 + cityIndex * 20 + index,
        name,
        cityId: 100 + cityIndex,
        city: entry.city,
        provinceId: 1 + provinces.indexOf(entry.province),
        province: entry.province,
        island: entry.island,
        zipcode,
      });
    });
  });
  return list;
}

export const districts: readonly District[] = build();
const byId = new Map(districts.map((district) => [district.id, district]));

export function findDistrict(id: unknown): District | undefined {
  return byId.get(Number(id));
}

/** A village belongs to one district; here each has two, numbered from its id. */
export function districtOfVillage(id: unknown): District | undefined {
  return byId.get(Math.floor(Number(id) / 10));
}

export function addressText(district: District): string {
  return `${district.name}, ${district.city}, ${district.province}`;
}
