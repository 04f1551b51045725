/* What dialogs that change something share: busy, the server's refusal, the footer, deleting. */
import { useState } from "preact/hooks";
import { send, type ApiError } from "../api/client";
import { t } from "../i18n";
import { drafts } from "../session";
import { Button } from "./kit";
import { Dialog, toast } from "./overlay";

/** The state that every one of these dialogs has: busy, the server's refusal, closing when done. */
export function useAction(close: () => void) {
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState("");
    const run = async (what: () => Promise<unknown>, done: string) => {
        if (busy) return;
        setBusy(true);
        setError("");
        try {
            await what();
            if (done) toast(done);
            close();
        } catch (e) {
            setError((e as ApiError).message);
            setBusy(false);
        }
    };
    return { busy, error, setError, run };
}

/** What is typed in a dialog, kept through an ended session and a reload; secrets do not belong in it. */
export function useDraft<T extends object>(key: string, first: T) {
    const [value, setValue] = useState<T>(() => drafts.load<T>(key) ?? first);
    const change = (to: Partial<T>) => {
        const next = { ...value, ...to };
        setValue(next);
        drafts.save(key, next);
    };
    return { value, change, drop: () => drafts.drop(key) };
}

export function Footer({
    close,
    label,
    busy,
    onOk,
    danger,
    hint,
}: {
    close: () => void;
    label: string;
    busy: boolean;
    onOk: () => void;
    danger?: boolean;
    hint?: string;
}) {
    return (
        <>
            {hint && <span class="t3">{hint}</span>}
            <span class="push row">
                <Button onClick={close}>{t("common.cancel")}</Button>
                <Button kind={danger ? "danger" : "primary"} busy={busy} onClick={onOk}>
                    {label}
                </Button>
            </span>
        </>
    );
}

export function ConfirmDelete({
    title,
    help,
    at,
    close,
    done,
}: {
    title: string;
    help: string;
    at: string;
    close: () => void;
    done: () => void;
}) {
    const action = useAction(() => {
        done();
        close();
    });
    const ok = () => void action.run(() => send("DELETE", at), "");
    return (
        <Dialog
            title={title}
            size="s"
            onClose={close}
            error={action.error || undefined}
            footer={
                <Footer
                    close={close}
                    label={t("common.delete")}
                    busy={action.busy}
                    onOk={ok}
                    danger
                />
            }
        >
            <div class="body">
                <p class="t2">{help}</p>
            </div>
        </Dialog>
    );
}
