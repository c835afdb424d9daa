import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "../shared/base.css";
import { ThemeProvider } from "../shared/theme";
import { Gateway } from "./app";
import "./gateway.css";

const place = document.getElementById("root");
if (place) {
  createRoot(place).render(
    <StrictMode>
      <ThemeProvider>
        <Gateway />
      </ThemeProvider>
    </StrictMode>,
  );
}
