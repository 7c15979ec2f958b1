export interface MarketCategory {
  id: string;
  parentId: string | null;
  name: string;
  /** Only a leaf takes products. */
  isLeaf: boolean;
}

const DEEPEST = 12;

/**
 * The leaves with their names from the root down, each once: what a platform names twice is where it was named first. A
 * leaf whose way up does not end (a cycle, a missing parent, a tree deeper than any real one) is left out: no seller
 * could have picked it.
 */
export function leafPaths(categories: MarketCategory[]): { id: string; path: string[] }[] {
  const byId = new Map<string, MarketCategory>();
  for (const category of categories) if (!byId.has(category.id)) byId.set(category.id, category);
  return [...byId.values()].flatMap((leaf) => {
    if (!leaf.isLeaf) return [];
    const path = [leaf.name];
    let { parentId } = leaf;
    while (parentId !== null) {
      const parent = byId.get(parentId);
      if (!parent || path.length >= DEEPEST) return [];
      path.unshift(parent.name);
      parentId = parent.parentId;
    }
    return [{ id: leaf.id, path }];
  });
}
