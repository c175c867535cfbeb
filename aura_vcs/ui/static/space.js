// The sum of what is chosen in a plan, while it is chosen.
'use strict';
document.addEventListener('change', (event) => {
  const form = event.target.closest('.plan');
  if (!form) return;
  const chosen = aura.$$('[data-bytes]', form).filter((input) => input.checked);
  aura.$('[data-sum]', form).textContent = aura.size(chosen.reduce((sum, input) => sum + Number(input.dataset.bytes), 0));
  const button = aura.$('button.main', form);
  if (button) button.disabled = !chosen.length;
});
aura.body.addEventListener('aura:done', (event) => { if (event.detail.name === 'storage/free' && !event.detail.error) location.reload(); });
