import { webUrl } from "../format.ts";
import type { StoreFacts } from "../snapshot.ts";
import { Wheat } from "./icons.tsx";

/** A square picture of a product, or the house's mark; its box has its size before the picture is there. */
export const ProductPicture = (props: {
  url: string | null;
  name: string;
  size: number;
  eager?: boolean;
}) => {
  const url = webUrl(props.url);
  return (
    <span class="picture">
      {url ? (
        <img
          src={url}
          alt={props.name}
          width={props.size}
          height={props.size}
          loading={props.eager ? "eager" : "lazy"}
          {...(props.eager ? { fetchpriority: "high" } : {})}
          decoding="async"
        />
      ) : (
        <Wheat size={64} />
      )}
    </span>
  );
};

/** The store's logo, or the first letter of its name. */
export const Logo = ({ store, size }: { store: StoreFacts; size: number }) => {
  const url = webUrl(store.logo_url);
  return (
    <span class={size > 60 ? "logo logo-big" : "logo"} aria-hidden="true">
      {url ? (
        <img src={url} alt="" width={size} height={size} decoding="async" />
      ) : (
        <span>{[...store.name][0]?.toUpperCase()}</span>
      )}
    </span>
  );
};
