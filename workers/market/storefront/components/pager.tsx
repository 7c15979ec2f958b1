/** Previous and next page; `href` makes the address of a page. */
export const Pager = (props: { page: number; pages: number; href(page: number): string }) => {
  const { page, pages, href } = props;
  if (pages <= 1) return null;
  return (
    <nav class="pager" aria-label="Halaman">
      {page > 1 ? (
        <a class="button button-quiet" rel="prev" href={href(page - 1)}>
          ‹ Sebelumnya
        </a>
      ) : (
        <span />
      )}
      <span>
        Halaman {page} dari {pages}
      </span>
      {page < pages ? (
        <a class="button button-quiet" rel="next" href={href(page + 1)}>
          Berikutnya ›
        </a>
      ) : (
        <span />
      )}
    </nav>
  );
};
