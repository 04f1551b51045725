import { expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { zhCN } from "../src/i18n/zh-CN";
import { glossary } from "../src/i18n/glossary";
import { language, t } from "../src/i18n";

const places = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join();

it("both languages have the same keys with the same placeholders", () => {
    expect(Object.keys(zhCN).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of Object.entries(en))
        expect(`${key}: ${places(zhCN[key as keyof typeof en])}`).toBe(`${key}: ${places(text)}`);
});

it("plurals follow the number", () => {
    language.value = "en";
    expect(t("apps.count", { n: 1 })).toBe("1 deployment");
    expect(t("apps.count", { n: 2 })).toBe("2 deployments");
    language.value = "zh-CN";
    expect(t("apps.count", { n: 1 })).toBe("共 1 个持续部署");
});

it("a text that is a term of the glossary is translated as the glossary says", () => {
    const terms = new Map(glossary.map((term) => [term.en.toLowerCase(), term.zh]));
    for (const [key, text] of Object.entries(en)) {
        const zh = terms.get(text.toLowerCase());
        if (zh) expect(`${key}: ${zhCN[key as keyof typeof en]}`).toBe(`${key}: ${zh}`);
    }
});

it("a text with a term in it has the term's translation in it", () => {
    for (const [key, text] of Object.entries(en)) {
        const words = text.replace(/taut \w+ \w+|--\w+/g, "");
        for (const term of glossary) {
            if (!term.always || !new RegExp(`\\b${term.en}\\b`, "i").test(words)) continue;
            const zh = zhCN[key as keyof typeof en];
            const said = [term.zh, ...term.always].some((form) => zh.includes(form));
            expect(said, `${key}: "${zh}" has no ${term.zh} for "${term.en}"`).toBe(true);
        }
    }
});
