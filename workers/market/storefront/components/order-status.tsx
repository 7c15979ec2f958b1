const WORDS: Record<string, string> = {
  pending: "Menunggu pembayaran",
  paid: "Dibayar",
  processing: "Dikemas",
  shipped: "Dikirim",
  delivered: "Diterima",
  cancelled: "Dibatalkan",
  refunded: "Dana dikembalikan",
};

export const statusWords = (status: string): string => WORDS[status] ?? status;

export const StatusBadge = ({ status }: { status: string }) => {
  const tone =
    status === "delivered" || status === "paid" || status === "shipped" || status === "processing"
      ? " status-good"
      : status === "cancelled" || status === "refunded"
        ? " status-bad"
        : "";
  return <span class={`status${tone}`}>{statusWords(status)}</span>;
};

const STAGES = ["Dibayar", "Dikemas", "Dikirim", "Diterima"];
const REACHED: Record<string, number> = { paid: 1, processing: 2, shipped: 3, delivered: 4 };

/** How far an order is, in four stages. */
export const Journey = ({ status }: { status: string }) => {
  const reached = REACHED[status] ?? 0;
  return (
    <ol class="journey" aria-label="Perjalanan pesanan">
      {STAGES.map((stage, index) => (
        <li
          class={index < reached ? "done" : ""}
          {...(index === reached - 1 ? { "aria-current": "step" as const } : {})}
        >
          {stage}
        </li>
      ))}
    </ol>
  );
};
