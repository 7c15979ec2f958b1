import type { CheckoutForm, ChosenArea } from "../checkout-form.ts";
import { Field } from "./field.tsx";

interface AddressProps {
  form: CheckoutForm;
  /** Districts that a search found; null when none was made. */
  areas: ChosenArea[] | null;
  errors: Record<string, string>;
}

/** Who gets the parcel and where. */
export const AddressPart = ({ form, areas, errors }: AddressProps) => {
  return (
    <section class="panel part" aria-labelledby="alamat">
      <h2 id="alamat">
        <b>1</b> Alamat penerima
      </h2>
      <div class="pair">
        <Field
          name="name"
          label="Nama penerima"
          autocomplete="name"
          value={form.name}
          error={errors.name}
          maxlength={50}
          required
        />
        <Field
          name="phone"
          label="Nomor HP"
          type="tel"
          autocomplete="tel"
          inputmode="tel"
          value={form.phone}
          error={errors.phone}
          maxlength={20}
          required
        />
      </div>
      <Field
        name="street"
        label="Alamat lengkap"
        hint="Jalan, nomor rumah, RT/RW, patokan."
        autocomplete="street-address"
        value={form.street}
        error={errors.street}
        minlength={10}
        maxlength={150}
        multiline
        required
      />
      <District form={form} areas={areas} error={errors.wilayah} />
    </section>
  );
};

type DistrictProps = Pick<AddressProps, "form" | "areas"> & { error: string | undefined };

/** The district decides the shipping cost, so it is chosen from the courier's own list. */
const District = ({ form, areas, error }: DistrictProps) => {
  const others = (areas ?? []).filter((area) => area.id !== form.area?.id);
  const shown = form.area ? [form.area, ...others] : others;
  const marks = error
    ? { "aria-invalid": "true" as const, "aria-describedby": "wilayah-salah" }
    : {};
  return (
    <>
      <div class="field">
        <label for="wilayah">Cari kecamatan tujuan</label>
        <div class="with-button">
          <input
            type="search"
            id="wilayah"
            name="wilayah"
            value={form.wilayah}
            placeholder="contoh: Sananwetan"
            maxlength={60}
            autocomplete="off"
            {...marks}
          />
          <button class="button button-quiet" type="submit" name="aksi" value="cari" formnovalidate>
            Cari
          </button>
        </div>
        {error ? (
          <p class="wrong" id="wilayah-salah">
            {error}
          </p>
        ) : null}
        <p class="hidden-words" role="status" data-areas-said />
      </div>
      <fieldset class="choices">
        <legend class="hidden-words">Kecamatan tujuan</legend>
        <div class="choices choices-many" data-areas>
          {shown.map((area) => (
            <label class="choice">
              <input
                type="radio"
                name="area"
                value={`${area.id}|${area.name}`}
                checked={area.id === form.area?.id}
              />
              <span>{area.name}</span>
            </label>
          ))}
        </div>
      </fieldset>
    </>
  );
};
