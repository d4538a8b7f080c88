// What textual.js begins at once begins when the terminal can measure its font, with the websocket beside this page.
const begin = window.onload;
window.onload = async (event) => {
  const websocket = new URL("websocket", window.location);
  websocket.protocol = websocket.protocol.replace("http", "ws");
  document.querySelector(".textual-terminal").dataset.sessionWebsocketUrl = websocket.href;
  await document.fonts.load('16px "Roboto Mono"');
  begin(event);
  document.querySelector(".xterm-helper-textarea").focus();
};

// A browser may keep a page that was left, with its websocket, for whoever comes back.
window.WebSocket = class extends WebSocket {
  constructor(address) {
    super(address);
    window.addEventListener("pagehide", () => this.close());
  }
};
window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
