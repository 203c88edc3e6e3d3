// Copyright 2026 The headpose_ros authors. SPDX-License-Identifier: Apache-2.0
// Starts Rerun's viewer (re_viewer.js) on the recording that comes from where the page comes from,
// so that one forwarded port is enough.
'use strict';
const message = document.getElementById('message');

function fail(error) {
  console.error(error);
  message.textContent = `The viewer does not run in this browser: ${error}`;
  message.hidden = false;
}

async function start() {
  await wasm_bindgen({module_or_path: 're_viewer_bg.wasm'});
  const {recording} = await (await fetch('settings.json')).json();
  const handle = new wasm_bindgen.WebHandle({
    url: [recording ? location.origin + recording : `rerun+http://${location.host}/proxy`],
    hide_welcome_screen: true,
    enable_history: false,
    notebook: false,
    theme: 'dark',
    persist: false,
    render_backend: new URLSearchParams(location.search).get('renderer'),
  });
  window.setInterval(() => handle.has_panicked() && fail(handle.panic_message()), 1000);
  await handle.start(document.getElementById('viewer'));
  message.hidden = true;
}

start().catch(fail);
