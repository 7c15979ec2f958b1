import { Layout, type Site } from "../components/layout.tsx";
import { Empty } from "../components/notice.tsx";

/** Something is not here, or did not work, in a store that is. */
export const ProblemPage = (props: { site: Site; title: string; words: string }) => (
  <Layout site={props.site} head={{ title: `${props.title} | ${props.site.store.name}` }}>
    <Empty whole title={props.title} href="/" action="Ke halaman toko">
      {props.words}
    </Empty>
  </Layout>
);
