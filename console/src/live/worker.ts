/* The hub in a SharedWorker: one connection for every tab of this browser. */
import { Hub, type FromTab, type Tab } from "./hub";

const hub = new Hub();
const scope = self as unknown as { onconnect: (event: MessageEvent) => void };
scope.onconnect = (event) => {
    const port = event.ports[0]!;
    const tab: Tab = (message) => port.postMessage(message);
    port.onmessage = (e: MessageEvent<FromTab>) => hub.take(tab, e.data);
    port.start();
};
