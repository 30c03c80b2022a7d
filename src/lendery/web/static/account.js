// The amount to pay follows the charges that are ticked. Without this file it is typed.
"use strict";

const pay = document.getElementById("pay");

if (pay) {
  const amount = document.getElementById("pay-amount");
  const boxes = [...document.querySelectorAll('input[name="fine"]')];
  const places = Number(pay.dataset.places);
  const follow = () => {
    const ticked = boxes.filter((box) => box.checked);
    const minor = ticked.length
      ? ticked.reduce((sum, box) => sum + Number(box.dataset.amount), 0)
      : Number(pay.dataset.owed);
    amount.value = (minor / 10 ** places).toFixed(places);
  };
  for (const box of boxes) box.addEventListener("change", follow);
}
