// A text becomes a file in the user's download folder.

export function download(name: string, text: string, type = "application/x-pem-file"): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the content once the click is handled; some take it a moment later.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
