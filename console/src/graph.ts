/*
 * The tree as a drawing, left to right by owner: every node once, children beside their parent, none
 * over another. One walk, so that its time grows with the number of nodes.
 */
import { groupOf, type Group } from "./model";
import { forest, groupOrder, isTrouble, type TreeNode } from "./tree";

export interface Box {
    id: string;
    x: number;
    y: number;
    width: number;
    height: number;
    depth: number;
    /** The box it hangs from; none for the root. */
    from?: string;
    node?: TreeNode;
    /** Stands for so many nodes that are folded. */
    fold?: { group?: Group; count: number; bad: boolean };
}

export interface Drawing {
    boxes: Box[];
    width: number;
    height: number;
}

export const BOX = { width: 204, height: 44, gapX: 34, gapY: 9, root: 40, fold: 30, margin: 16 };
/** More of one kind below one owner, or in one quiet group, are folded. */
export const FOLD_ABOVE = 12;
const quiet: Group[] = ["access", "definitions", "other", "config", "storage"];

interface Item {
    id: string;
    node?: TreeNode;
    fold?: { group?: Group; count: number; bad: boolean };
    children: Item[];
}

function below(n: TreeNode, all: Map<string, TreeNode[]>, opened: Opened, seen: Set<string>): Item {
    seen.add(n.id);
    const children = (all.get(n.id) ?? []).filter((x) => !seen.has(x.id));
    return { id: n.id, node: n, children: folded(n.id, children, all, opened, seen) };
}

type Opened = ReadonlySet<string>;

/** The children, the well ones beyond the first few as one box. */
function folded(
    id: string,
    children: TreeNode[],
    all: Map<string, TreeNode[]>,
    opened: Opened,
    seen: Set<string>,
): Item[] {
    const fold = `fold:${id}`;
    const draw = (list: TreeNode[]) => list.map((x) => below(x, all, opened, seen));
    if (children.length <= FOLD_ABOVE || opened.has(fold)) return draw(children);
    const bad = children.filter(isTrouble).slice(0, FOLD_ABOVE);
    const count = children.length - bad.length;
    return [
        ...draw(bad),
        {
            id: fold,
            fold: { count, bad: children.some((x) => isTrouble(x) && !bad.includes(x)) },
            children: [],
        },
    ];
}

function items(nodes: TreeNode[], opened: Opened): Item[] {
    const f = forest(nodes);
    const seen = new Set<string>();
    const out: Item[] = [];
    const folds: Item[] = [];
    for (const group of groupOrder) {
        const all = f.roots.filter((n) => groupOf(n) === group);
        if (all.length === 0) continue;
        const id = `fold:group:${group}`;
        const limit = quiet.includes(group) ? 5 : FOLD_ABOVE * 3;
        if (all.length <= limit || opened.has(id)) {
            out.push(...all.map((n) => below(n, f.below, opened, seen)));
            continue;
        }
        const bad = all.filter(isTrouble).slice(0, FOLD_ABOVE);
        out.push(...bad.map((n) => below(n, f.below, opened, seen)));
        folds.push({
            id,
            fold: {
                group,
                count: all.length - bad.length,
                bad: all.some((n) => isTrouble(n) && !bad.includes(n)),
            },
            children: [],
        });
    }
    return [...out, ...folds];
}

export function layout(nodes: TreeNode[], opened: Opened): Drawing {
    const boxes: Box[] = [];
    let y = BOX.margin;
    let right = 0;
    const xOf = (depth: number) =>
        depth === 0
            ? BOX.margin
            : BOX.margin + BOX.root + BOX.gapX + (depth - 1) * (BOX.width + BOX.gapX);
    const place = (item: Item, depth: number, from: string): Box => {
        const height = item.fold ? BOX.fold : BOX.height;
        const top = y;
        const kids = item.children.map((c) => place(c, depth + 1, item.id));
        if (kids.length === 0) y += height + BOX.gapY;
        const first = kids[0];
        const box: Box = {
            id: item.id,
            x: xOf(depth),
            y: first ? first.y : top,
            width: BOX.width,
            height,
            depth,
            from,
            ...(item.node ? { node: item.node } : {}),
            ...(item.fold ? { fold: item.fold } : {}),
        };
        right = Math.max(right, box.x + box.width);
        boxes.push(box);
        return box;
    };
    const top = items(nodes, opened).map((i) => place(i, 1, "root"));
    const height = y - BOX.gapY + BOX.margin;
    const middle = top.length > 0 ? (top[0]!.y + top[top.length - 1]!.y + BOX.height) / 2 : y;
    boxes.push({
        id: "root",
        x: BOX.margin,
        y: Math.max(BOX.margin, middle - BOX.root / 2),
        width: BOX.root,
        height: BOX.root,
        depth: 0,
    });
    return { boxes, width: right + BOX.margin, height };
}

/** From the right edge of one box to the left edge of another, with round corners. */
export function edge(a: Box, b: Box): string {
    const x0 = a.x + a.width;
    const y0 = a.y + a.height / 2;
    const y1 = b.y + b.height / 2;
    const mid = x0 + BOX.gapX / 2;
    const dy = y1 - y0;
    const r = Math.min(8, Math.abs(dy) / 2);
    if (r < 1) return `M${x0} ${y0}H${b.x}`;
    const s = Math.sign(dy);
    return `M${x0} ${y0}H${mid - r}Q${mid} ${y0} ${mid} ${y0 + s * r}V${y1 - s * r}Q${mid} ${y1} ${mid + r} ${y1}H${b.x}`;
}

export interface View {
    left: number;
    top: number;
    right: number;
    bottom: number;
}

/** What can be seen, and the edges that pass through. */
export function visible(d: Drawing, view: View): { boxes: Box[]; edges: string } {
    const byId = new Map(d.boxes.map((b) => [b.id, b]));
    const sees = (b: Box) =>
        b.x < view.right &&
        b.x + b.width > view.left &&
        b.y < view.bottom &&
        b.y + b.height > view.top;
    const boxes = d.boxes.filter(sees);
    let edges = "";
    for (const b of d.boxes) {
        const a = b.from ? byId.get(b.from) : undefined;
        if (!a) continue;
        const low = Math.min(a.y, b.y);
        const high = Math.max(a.y + a.height, b.y + b.height);
        if (a.x < view.right && b.x > view.left && low < view.bottom && high > view.top)
            edges += edge(a, b);
    }
    return { boxes, edges };
}

/** The box that an arrow key leads to. */
export function neighbour(d: Drawing, id: string, key: string): Box | undefined {
    const at = d.boxes.find((b) => b.id === id);
    if (!at) return d.boxes[0];
    if (key === "ArrowLeft") return d.boxes.find((b) => b.id === at.from);
    if (key === "ArrowRight")
        return d.boxes.filter((b) => b.from === id).sort((a, b) => a.y - b.y)[0];
    const column = d.boxes.filter((b) => b.depth === at.depth).sort((a, b) => a.y - b.y);
    const i = column.indexOf(at);
    return key === "ArrowDown" ? column[i + 1] : key === "ArrowUp" ? column[i - 1] : undefined;
}
