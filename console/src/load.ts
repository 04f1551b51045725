/* A value loaded once by an address, with its error and a way to ask again. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { ApiError, get, signedInAgain } from "./api/client";

export function useLoad<T>(at: string | null): {
    value: T | null;
    error: ApiError | null;
    again: () => void;
} {
    const [value, setValue] = useState<T | null>(null);
    const [error, setError] = useState<ApiError | null>(null);
    const [round, setRound] = useState(0);
    const ended = error?.status === 401;
    useEffect(() => {
        if (!ended) return;
        let gone = false;
        void signedInAgain().then(() => !gone && setRound((r) => r + 1));
        return () => {
            gone = true;
        };
    }, [ended]);
    useEffect(() => {
        if (at === null) return;
        const abort = new AbortController();
        get<T>(at, abort.signal).then(
            (v) => {
                setValue(v);
                setError(null);
            },
            (e: unknown) => {
                if (!abort.signal.aborted)
                    setError(e instanceof ApiError ? e : new ApiError(0, String(e)));
            },
        );
        return () => abort.abort();
    }, [at, round]);
    return { value, error, again: useCallback(() => setRound((r) => r + 1), []) };
}
