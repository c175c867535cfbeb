// A text that is written by hand: the field opens where both differ, and takes in what either side has.
'use strict';
(() => {
  const { $, $$, body } = aura;
  // The text of a line, also where marks stand around some of its words.
  const show = () => {
    for (const field of $$('[data-line]')) {
      if ('isShown' in field.dataset) continue;
      field.dataset.isShown = '';
      const before = field.value.split('\n').slice(0, Number(field.dataset.line) - 1);
      const at = before.join('\n').length + (before.length ? 1 : 0);
      field.setSelectionRange(at, at);
      const height = parseFloat(getComputedStyle(field).lineHeight);
      field.scrollTop = Math.max(0, (before.length - 4) * height);
    }
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-insert]');
    if (!button) return;
    const field = $('textarea', button.form);
    field.focus();
    field.setRangeText($(`[data-side=${button.dataset.insert}]`).textContent, field.selectionStart, field.selectionEnd, 'select');
  });
  body.addEventListener('aura:fresh', show);
  show();
})();
