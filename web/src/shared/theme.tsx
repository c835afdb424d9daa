// One look for all applications: colours, light and dark, and who chose which.
import { App, ConfigProvider, theme } from "antd";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState, useSyncExternalStore } from "react";

export type Choice = "system" | "light" | "dark";

const KEY = "penstock-theme";
const wish = window.matchMedia("(prefers-color-scheme: dark)");

function remembered(): Choice {
  try {
    const text = window.localStorage.getItem(KEY);
    return text === "light" || text === "dark" ? text : "system";
  } catch {
    return "system"; // a browser that keeps nothing for this page
  }
}

function remember(choice: Choice): void {
  try {
    window.localStorage.setItem(KEY, choice);
  } catch {
    // the choice then holds until the page is closed
  }
}

function useSystemDark(): boolean {
  return useSyncExternalStore(
    (listener) => {
      wish.addEventListener("change", listener);
      return () => wish.removeEventListener("change", listener);
    },
    () => wish.matches,
  );
}

const Context = createContext<{ choice: Choice; dark: boolean; choose: (choice: Choice) => void }>({
  choice: "system",
  dark: false,
  choose: () => undefined,
});

export function useTheme() {
  return useContext(Context);
}

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';
const MONO = 'ui-monospace, "Cascadia Mono", Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace';

/** Contrast is at least 4.5:1 for every text; antd's own pale texts are darkened or lightened. */
const light = {
  colorPrimary: "#0b6b80",
  colorLink: "#0b6b80",
  colorLinkHover: "#084f5f",
  colorInfo: "#0b6b80",
  colorSuccess: "#237804",
  colorWarning: "#ad5700",
  colorError: "#c41d2b",
  colorTextDescription: "rgba(0,0,0,0.65)",
  colorTextTertiary: "rgba(0,0,0,0.62)",
  colorTextPlaceholder: "rgba(0,0,0,0.55)",
  colorBgLayout: "#f3f5f7",
  colorPrimaryBg: "#e2f1f4",
  colorInfoBg: "#e2f1f4",
  colorSuccessBg: "#ebf6e4",
  colorSuccessBorder: "#a9d08f",
  colorWarningBg: "#fdf2e2",
  colorWarningBorder: "#e6b877",
  colorErrorBg: "#fdecec",
  colorErrorBorder: "#eda9ad",
};

const dark = {
  colorPrimary: "#43bcd8",
  colorLink: "#5cc3da",
  colorLinkHover: "#8fdaea",
  colorInfo: "#43bcd8",
  colorError: "#ff8089",
  colorTextDescription: "rgba(255,255,255,0.68)",
  colorTextTertiary: "rgba(255,255,255,0.66)",
  colorTextPlaceholder: "rgba(255,255,255,0.55)",
  colorBgLayout: "#101418",
  colorPrimaryBg: "#14323a",
  colorBgContainer: "#181d23",
  colorBgElevated: "#20262d",
  colorTextLightSolid: "#06181d",
};

export function ThemeProvider({ children }: { children: ReactNode }) {
  const [choice, setChoice] = useState(remembered);
  const system = useSystemDark();
  const isDark = choice === "dark" || (choice === "system" && system);
  useEffect(() => {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
  }, [isDark]);
  const value = useMemo(
    () => ({
      choice,
      dark: isDark,
      choose: (next: Choice) => {
        remember(next);
        setChoice(next);
      },
    }),
    [choice, isDark],
  );
  return (
    <Context.Provider value={value}>
      <ConfigProvider
        button={{ autoInsertSpace: false }}
        theme={{
          algorithm: isDark ? theme.darkAlgorithm : theme.defaultAlgorithm,
          token: { fontFamily: FONT, fontFamilyCode: MONO, borderRadius: 4, motion: false, ...(isDark ? dark : light) },
          components: {
            Layout: { headerHeight: 52, headerPadding: "0 16px" },
            Menu: isDark ? { itemSelectedColor: "#8fdaea" } : {},
            Button: { primaryShadow: "none", defaultShadow: "none", dangerShadow: "none" },
          },
        }}
      >
        <App notification={{ placement: "topRight" }} message={{ maxCount: 1, duration: 2 }}>{children}</App>
      </ConfigProvider>
    </Context.Provider>
  );
}
