/* The banner over every page while the server does not answer: how old the page is, when it is tried
 * again. A break of a moment is not shown. */
import { useEffect, useState } from "preact/hooks";
import { lost } from "../connection";
import { age, t } from "../i18n";
import { retryNow } from "../live";
import { Button, Icon } from "../ui/kit";

const QUIET_MS = 1000;

export function Disconnected() {
    const [now, setNow] = useState(Date.now());
    const since = lost.value;
    const [from, setFrom] = useState(0);
    useEffect(() => {
        if (!since) {
            setFrom(0);
            return;
        }
        setFrom((was) => was || Date.now());
        const clock = setInterval(() => setNow(Date.now()), 500);
        return () => clearInterval(clock);
    }, [since]);
    if (!since || !from || now - from < QUIET_MS) return null;
    const wait = Math.ceil((since.retryAt - now) / 1000);
    return (
        <div class="lost-bar">
            <Icon name="i-warn" />
            <span role="status">
                {t("live.off")}
                <span aria-hidden="true">
                    {". "}
                    {t("live.lost", { age: age(new Date(since.since).toISOString(), now) })}
                </span>
            </span>
            <span class="t2" aria-hidden="true">
                {wait > 0 ? t("live.next", { n: wait }) : t("live.trying")}
            </span>
            <Button kind="small" always onClick={retryNow}>
                {t("live.now")}
            </Button>
        </div>
    );
}
