/* Server-Sent Events out of a body: what EventSource does, but with a status, an end and an abort. */
export interface ServerEvent {
    event: string;
    id: string;
    data: string;
}

/** `alive` is told of every chunk, comments and pings included. */
export async function* events(
    body: ReadableStream<Uint8Array>,
    alive: () => void,
): AsyncGenerator<ServerEvent> {
    const reader = body.getReader();
    const text = new TextDecoder();
    let rest = "";
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        alive();
        rest += text.decode(value, { stream: true });
        let from = 0;
        let end: number;
        while ((end = rest.indexOf("\n\n", from)) >= 0) {
            const one = parse(rest.slice(from, end));
            from = end + 2;
            if (one) yield one;
        }
        if (from > 0) rest = rest.slice(from);
    }
}

function parse(block: string): ServerEvent | null {
    const found: ServerEvent = { event: "message", id: "", data: "" };
    for (const line of block.split("\n")) {
        const colon = line.indexOf(":");
        if (colon <= 0) continue;
        const value = line.slice(colon + 1).replace(/^ /, "");
        const field = line.slice(0, colon);
        if (field === "data") found.data += found.data ? `\n${value}` : value;
        else if (field === "event") found.event = value;
        else if (field === "id") found.id = value;
    }
    return found.data ? found : null;
}
