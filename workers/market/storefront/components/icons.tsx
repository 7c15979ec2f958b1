/** Small line drawings; decoration only, so they are hidden from screen readers. */
const Icon = ({ path, size = 22 }: { path: string; size?: number }) => (
  <svg
    class="icon"
    width={size}
    height={size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="1.8"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
    focusable="false"
  >
    <path d={path} />
  </svg>
);

export const CartIcon = () => <Icon path="M3 4h2.2l2.3 11h10.2l2-8H6.3M9 20.2h.01M17 20.2h.01" />;
export const ReceiptIcon = () => (
  <Icon path="M6 3v18l2-1.3 2 1.3 2-1.3 2 1.3 2-1.3 2 1.3V3l-2 1.3L14 3l-2 1.3L10 3 8 4.3zM9 9.5h6M9 13.5h6" />
);
export const SearchIcon = () => (
  <Icon path="M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM20 20l-4.8-4.8" />
);
export const PinIcon = () => (
  <Icon
    size={16}
    path="M12 21s7-6.1 7-11.5A7 7 0 0 0 5 9.5C5 14.9 12 21 12 21zM12 7.5a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.6z"
  />
);
export const CheckIcon = () => <Icon size={18} path="M5 12.5l4.5 4.5L19 7.5" />;
export const AlertIcon = () => <Icon size={20} path="M12 8v5M12 16.5h.01M12 3.5l9.5 16.8h-19z" />;
export const InfoIcon = () => (
  <Icon size={20} path="M12 11v6M12 7.5h.01M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z" />
);
export const LinkIcon = () => <Icon size={16} path="M14 5h5v5M19 5l-8.5 8.5M17 14v5H5V7h5" />;

/** An ear of wheat: the mark of the house, and what stands where a picture is missing. */
export const Wheat = ({ size = 96 }: { size?: number }) => (
  <svg
    class="wheat"
    width={size}
    height={size}
    viewBox="0 0 64 64"
    fill="currentColor"
    aria-hidden="true"
    focusable="false"
  >
    <path d="M31 60V22h2v38z" />
    {[20, 30, 40].map((y) => (
      <>
        <path d={`M31 ${y + 10}c-9 0-12-5-12-11 8 0 12 4 12 11z`} />
        <path d={`M33 ${y + 10}c9 0 12-5 12-11-8 0-12 4-12 11z`} />
      </>
    ))}
    <path d="M32 22c-5-4-5-11 0-17 5 6 5 13 0 17z" />
  </svg>
);
