import type { Child } from "hono/jsx";
import { Field } from "../components/field.tsx";
import { Layout, type Site } from "../components/layout.tsx";
import { Notice } from "../components/notice.tsx";

/** What the visitor wanted when he was asked to sign in: it is done right after. */
export interface Intent {
  next: string;
  productId?: string | undefined;
  quantity?: number | undefined;
}

interface AccountProps {
  site: Site;
  intent: Intent;
  problem?: string | undefined;
  errors?: Record<string, string>;
  typed?: Record<string, string>;
}

const IntentFields = ({ intent }: { intent: Intent }) => (
  <>
    <input type="hidden" name="next" value={intent.next} />
    {intent.productId ? (
      <>
        <input type="hidden" name="product_id" value={intent.productId} />
        <input type="hidden" name="quantity" value={String(intent.quantity ?? 1)} />
      </>
    ) : null}
  </>
);

/** The same intent as a query, for the link between signing in and registering. */
export function intentQuery({ next, productId, quantity }: Intent): string {
  const query = new URLSearchParams({ next });
  if (productId) {
    query.set("produk", productId);
    query.set("jumlah", String(quantity ?? 1));
  }
  return `?${query}`;
}

const Card = (props: AccountProps & { title: string; lead: string; children: Child }) => (
  <Layout site={props.site} head={{ title: `${props.title} | ${props.site.store.name}` }}>
    <div class="narrow">
      <div class="panel stack">
        <h1>{props.title}</h1>
        <p class="muted">{props.lead}</p>
        {props.intent.productId && !props.problem ? (
          <Notice kind="plain">Setelah ini produk pilihan Anda langsung masuk keranjang.</Notice>
        ) : null}
        {props.problem ? <Notice kind="problem">{props.problem}</Notice> : null}
        {props.children}
      </div>
    </div>
  </Layout>
);

export const SignInPage = (props: AccountProps) => (
  <Card {...props} title="Masuk" lead={`Masuk untuk berbelanja di ${props.site.store.name}.`}>
    <form action="/masuk" method="post">
      <IntentFields intent={props.intent} />
      <Field
        name="identifier"
        label="Email atau nomor HP"
        autocomplete="username"
        value={props.typed?.identifier}
        error={props.errors?.identifier}
        maxlength={254}
        required
      />
      <Field
        name="password"
        label="Kata sandi"
        type="password"
        autocomplete="current-password"
        error={props.errors?.password}
        required
      />
      <button class="button button-block" type="submit">
        Masuk
      </button>
    </form>
    <p>
      Belum punya akun? <a href={`/daftar${intentQuery(props.intent)}`}>Daftar gratis</a>
    </p>
  </Card>
);

export const RegisterPage = (props: AccountProps) => (
  <Card {...props} title="Daftar" lead="Satu akun untuk semua toko di Lumbung.">
    <form action="/daftar" method="post">
      <IntentFields intent={props.intent} />
      <Field
        name="full_name"
        label="Nama lengkap"
        autocomplete="name"
        value={props.typed?.full_name}
        error={props.errors?.full_name}
        minlength={2}
        maxlength={100}
        required
      />
      <Field
        name="email"
        label="Email"
        type="email"
        autocomplete="email"
        value={props.typed?.email}
        error={props.errors?.email}
        maxlength={254}
        required
      />
      <Field
        name="phone"
        label="Nomor HP (boleh dikosongkan)"
        type="tel"
        autocomplete="tel"
        value={props.typed?.phone}
        error={props.errors?.phone}
        maxlength={20}
      />
      <Field
        name="password"
        label="Kata sandi"
        type="password"
        autocomplete="new-password"
        error={props.errors?.password}
        hint="Paling sedikit 6 karakter."
        minlength={6}
        maxlength={72}
        required
      />
      <button class="button button-block" type="submit">
        Daftar dan masuk
      </button>
    </form>
    <p>
      Sudah punya akun? <a href={`/masuk${intentQuery(props.intent)}`}>Masuk</a>
    </p>
  </Card>
);

export const SignOutPage = ({ site }: { site: Site }) => (
  <Layout site={site} head={{ title: `Keluar | ${site.store.name}` }}>
    <div class="narrow">
      <div class="panel stack">
        <h1>Keluar</h1>
        <p class="muted">Anda akan keluar dari semua toko di Lumbung pada perangkat ini.</p>
        <form action="/keluar" method="post">
          <button class="button button-block" type="submit">
            Keluar
          </button>
        </form>
      </div>
    </div>
  </Layout>
);
