"""The portal: what people of an organisation see. It owns no money and no tables; it reads by the other apps' front doors."""
